import { filePerPart } from './detect/json.js';

/** Datumaro: JSON with items, and a folder of images beside it. */
export const detectDatumaro = filePerPart(
  /\.json$/i,
  (text) => /"items"\s*:\s*\[/.test(text) && /"label"\s*:\s*\{\s*"labels"\s*:/.test(text),
  'the items of Datumaro',
);
