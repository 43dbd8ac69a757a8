import { safeName } from '../../../safePath.js';
import { occurring, type Writer } from './writer.js';

/** A folder for each class: <part>/<class>/<image>. */
export const writeImageFolder: Writer = ({ images }) => ({
  files: new Map(),
  imagePath: ({ part, name, label = '' }) => `${part}/${folderOf(label)}/${name}`,
  losses: occurring({
    'name of a class, changed since no folder can have it': new Set(
      images.flatMap(({ label = '' }) => (folderOf(label) === label ? [] : [label])),
    ).size,
  }),
});

/** The folder of a class. A dot at its start would hide it. */
const folderOf = (label: string): string => safeName(label).replace(/^\./, '_');
