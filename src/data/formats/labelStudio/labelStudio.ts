import { basename } from 'node:path';
import { classRecordFormat, type ClassRecord } from '../records/classRecords.js';
import { fieldsOf, parseLabelJson } from '../records/readLabels.js';
import { recordFormat } from '../records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from '../records/textLayout.js';
import type { ImageRecord } from '../records/record.js';
import { parseCsv } from '../table/parseCsv.js';
import { detectLabelStudio, detectLabelStudioClasses } from './detect.js';
import { studioChoice, studioRecord, studioTasks, type StudioTask } from './results.js';

const isExport = (path: string): boolean => /\.json$/i.test(path);

/** Label Studio: its export as JSON, full or minimal, or as a table, with rectangles, polygons and ellipses. Tasks that nobody annotated
 *  are left out. */
export const labelStudio = recordFormat(
  'labelstudio',
  detectLabelStudio,
  textLayout(
    (path) => /\.(?:json|csv|tsv)$/i.test(path),
    (text, label): { images: ImageRecord[] } => {
      const tasks = studioTasks(listOf(text, label), label);
      const done = tasks.filter(({ results }) => results !== undefined);
      countOpen(
        tasks.filter(({ results }) => results === undefined),
        label,
      );
      return { images: done.map((task) => studioRecord(task, label)) };
    },
  ),
);

/** Label Studio with a choice for each image. */
export const labelStudioClasses = classRecordFormat(
  detectLabelStudioClasses,
  isExport,
  (text, label): ClassRecord[] => {
    const tasks = studioTasks(listOf(text, label), label);
    const records = tasks.map((task) => {
      return {
        name: task.name,
        label: studioChoice(task),
        where: { file: label.file },
      };
    });
    countOpen(
      tasks.filter((_, i) => records[i]!.label === undefined),
      label,
    );
    return records.flatMap(({ label: name, ...rest }) => (name === undefined ? [] : [{ ...rest, label: name }]));
  },
);

function listOf(text: string, { file }: LabelFile): readonly unknown[] {
  if (/\.[ct]sv$/i.test(file)) return rowsOf(text, file);
  const list = parseLabelJson(text, file);
  if (!Array.isArray(list)) throw notOfLayout(file, `${basename(file)} is not a list of tasks of Label Studio`);
  return list as readonly unknown[];
}

/** The rows of a table as the objects of the minimal export: cells of lists are JSON. */
function rowsOf(text: string, file: string): readonly unknown[] {
  const [head, ...rows] = parseCsv(text);
  const heads = head?.cells.map((cell) => cell.trim()) ?? [];
  return rows.map(({ cells, line }) => {
    const value = (cell = ''): unknown => (/^\s*\[/.test(cell) ? parseLabelJson(cell, file, line) : cell);
    return Object.fromEntries(heads.map((name, i) => [name, value(cells[i])]));
  });
}

function countOpen(tasks: readonly StudioTask[], { findings, file }: LabelFile): void {
  const note = () => ({ message: file, where: { file } });
  const guessed = tasks.filter(({ fields }) => fieldsOf(fields['predictions']).length > 0).length;
  if (guessed > 0)
    findings.count('task with predictions alone, left out until somebody accepts them in Label Studio', note, guessed);
  if (tasks.length > guessed) findings.count('task without an annotation, left out', note, tasks.length - guessed);
}
