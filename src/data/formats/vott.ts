import type { Detect } from './detect/detected.js';
import { filePerPart, jsonPerImage } from './detect/json.js';

const isRegion = (text: string): boolean => /"regions"\s*:\s*\[/.test(text) && /"asset"\s*:\s*\{/.test(text);

const exported = filePerPart(
  /\.json$/i,
  (text) => /"assets"\s*:\s*\{/.test(text) && isRegion(text),
  'the assets of VoTT',
);
const assets = jsonPerImage(
  (text) => isRegion(text) && !/"assets"\s*:/.test(text),
  'an asset of VoTT with its regions',
);

/** VoTT: one JSON file of an export, or a file for each asset. */
export const detectVott: Detect = async (listing) => (await exported(listing)) ?? (await assets(listing));
