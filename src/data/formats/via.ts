import { filePerPart } from './detect/json.js';

/** VGG Image Annotator: a project, or an export of its annotations, as JSON or csv. */
export const detectVia = filePerPart(
  /\.(?:json|csv)$/i,
  (text) =>
    (/"shape_attributes"\s*:\s*\{/.test(text) && /"regions"\s*:/.test(text)) ||
    /region_shape_attributes/.test(text.slice(0, 2000)) ||
    /"_via_img_metadata"/.test(text),
  'the regions of the VGG Image Annotator',
);
