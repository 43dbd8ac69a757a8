import type { Findings } from '../../findings.js';
import { FinetuneError, type Problem, type Where } from '../../../errors.js';
import { numberCategories } from '../../categories.js';
import type { PartName } from '../../sample.js';
import { readLabelText } from './readLabels.js';
import type { PartRecords } from './record.js';
import { labelFiles, type RecordSource } from './recordFormat.js';

/** What a layout needs to read the text of one file of labels. */
export interface LabelFile {
  readonly file: string;
  readonly root: string;
  readonly part: PartName;
  readonly findings: Findings;
  /** Adds a problem, E_LABEL_ROW, about a record. */
  readonly wrong: (message: string, where?: Where) => void;
}

/** Reads files of labels that are texts. Problems go to the findings; a file that cannot be read at all is one. */
export const textLayout =
  (isLabels: (path: string) => boolean, parse: (text: string, file: LabelFile) => PartRecords | Promise<PartRecords>) =>
  async (source: RecordSource): Promise<PartRecords> => {
    const { root, part, findings } = source;
    const read: PartRecords[] = [];
    for (const file of await labelFiles(source, isLabels)) {
      const wrong = (message: string, where: Where = { file }): void =>
        findings.problem({ code: 'E_LABEL_ROW', message, where });
      try {
        read.push(await parse(await readLabelText(file), { file, root, part, findings, wrong }));
      } catch (error) {
        findings.absorb(error);
      }
    }
    return { images: read.flatMap(({ images }) => images), categories: joined(read) };
  };

/** The categories of all files, if each lists its own. */
function joined(read: readonly PartRecords[]): PartRecords['categories'] {
  const lists = read.flatMap(({ categories }) => (categories ? [categories] : []));
  if (lists.length < read.length || lists.length < 2) return lists.length < read.length ? undefined : lists[0];
  return numberCategories([...new Set(lists.flat().map(({ name }) => name))]);
}

/** The problem of a file that is not of the layout. */
export const notOfLayout = (file: string, message: string): FinetuneError =>
  new FinetuneError({ code: 'E_LABEL_LAYOUT', message, where: { file } } satisfies Problem);
