import { basename } from 'node:path';
import { classRecordFormat, type ClassRecord } from '../records/classRecords.js';
import { parseLabelJson } from '../records/readLabels.js';
import { recordFormat } from '../records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from '../records/textLayout.js';
import type { ImageRecord } from '../records/record.js';
import { detectLabelStudio, detectLabelStudioClasses } from './detect.js';
import { studioChoice, studioRecord, studioTasks } from './results.js';

const isExport = (path: string): boolean => /\.json$/i.test(path);

/** Label Studio: its JSON export, full or minimal, with rectangles, polygons and ellipses. Tasks that nobody annotated
 *  are left out. */
export const labelStudio = recordFormat(
  'labelstudio',
  detectLabelStudio,
  textLayout(isExport, (text, label): { images: ImageRecord[] } => {
    const tasks = studioTasks(listOf(text, label), label);
    const done = tasks.filter(({ results }) => results !== undefined);
    countOpen(tasks.length - done.length, label);
    return { images: done.map((task) => studioRecord(task, label)) };
  }),
);

/** Label Studio with a choice for each image. */
export const labelStudioClasses = classRecordFormat(
  detectLabelStudioClasses,
  isExport,
  (text, label): ClassRecord[] => {
    const records = studioTasks(listOf(text, label), label).map((task) => {
      return {
        name: task.name,
        label: studioChoice(task),
        where: { file: label.file },
      };
    });
    countOpen(records.filter((one) => one.label === undefined).length, label);
    return records.flatMap(({ label: name, ...rest }) => (name === undefined ? [] : [{ ...rest, label: name }]));
  },
);

function listOf(text: string, { file }: LabelFile): readonly unknown[] {
  const list = parseLabelJson(text, file);
  if (!Array.isArray(list)) throw notOfLayout(file, `${basename(file)} is not a list of tasks of Label Studio`);
  return list as readonly unknown[];
}

function countOpen(open: number, { findings, file }: LabelFile): void {
  if (open > 0)
    findings.count('task without an annotation, left out', () => ({ message: file, where: { file } }), open);
}
