import { jsonPerImage } from './detect/json.js';

/** labelme: a JSON file beside each image. */
export const detectLabelme = jsonPerImage(
  (text) => /"shapes"\s*:\s*\[/.test(text) && /"(?:imagePath|imageData|imageHeight)"\s*:/.test(text),
  'the shapes of labelme',
);
