import { IMAGENET_CATEGORIES } from './imagenet.js';

/** The name of a softmax head's first column (torchvision's word); a sigmoid head has none. */
export const BACKGROUND = '__background__';

/** What VOC calls otherwise than COCO. */
const ALIASES: Readonly<Record<string, string>> = {
  aeroplane: 'airplane',
  motorbike: 'motorcycle',
  sofa: 'couch',
  tvmonitor: 'tv',
};

const SYNSETS: ReadonlyMap<string, string> = new Map(
  IMAGENET_CATEGORIES.map(({ synset, name }) => [synset, plain(name)]),
);

/** One spelling for "Dining table", "diningtable" and "dining_table", and for a synset (a folder of ImageNet) its name. */
function canonical(name: string): string {
  const spelt = plain(name);
  return ALIASES[spelt] ?? SYNSETS.get(spelt) ?? spelt;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}

/** For every category that is wanted, the column of the file that has it, −1 where none has. */
export function findColumns(wanted: readonly string[], known: readonly string[]): number[] {
  const same = wanted.length === known.length && wanted.every((name, i) => name === known[i]);
  if (same) return wanted.map((_, i) => i); // columns without a name included
  const columns = new Map(known.map((name, column) => [canonical(name), column]));
  columns.delete('');
  return wanted.map((name) => columns.get(canonical(name)) ?? -1);
}
