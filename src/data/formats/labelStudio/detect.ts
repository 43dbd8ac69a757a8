import type { Detect } from '../detect/detected.js';
import { filePerPart } from '../detect/json.js';

const isTask = (text: string): boolean =>
  /^\s*\[/.test(text) &&
  (/"(?:annotations|completions)"\s*:\s*\[/.test(text) || /"(?:annotator|annotation_id|lead_time)"\s*:/.test(text));

/** Whether a text is a table of Label Studio with boxes, which stand as JSON in a cell. */
export const isStudioTable = (text: string): boolean =>
  /^\S*\bannotation_id\b[^\n]*\blead_time\b/.test(text) &&
  /""(?:rectanglelabels|polygonlabels|brushlabels|ellipselabels)""/.test(text);

/** Label Studio with boxes: its export as JSON, full or minimal, or as a table. */
export const detectLabelStudio: Detect = filePerPart(
  /\.(?:json|csv|tsv)$/i,
  (text) =>
    isStudioTable(text) || (isTask(text) && /"(?:rectanglelabels|polygonlabels|brushlabels|ellipselabels)"/.test(text)),
  'the tasks of Label Studio with boxes',
);

/** Label Studio with a choice for each image. */
export const detectLabelStudioClasses: Detect = filePerPart(
  /\.json$/i,
  (text) =>
    isTask(text) &&
    !/"(?:rectanglelabels|polygonlabels|brushlabels|ellipselabels)"/.test(text) &&
    (/"choices"/.test(text) || /"choice"\s*:\s*"/.test(text)),
  'the tasks of Label Studio with a choice for each image',
);
