import { filePerPart } from './detect/json.js';

/** Create ML of Apple: a JSON list of images with boxes by their centres. */
export const detectCreateMl = filePerPart(
  /\.json$/i,
  (text) =>
    /^\s*\[/.test(text) &&
    /"(?:image|imagefilename|imageFilename)"\s*:/.test(text) &&
    /"annotations?"\s*:\s*\[/.test(text) &&
    (/"coordinates"\s*:\s*\{/.test(text) || /createml/i.test(text)),
  'a list of images with annotations in "coordinates"',
);
