import { IMAGENET_CATEGORIES } from './imagenet.js';

/** The name of a softmax head's first column, as in torchvision; a sigmoid head has none. */
export const BACKGROUND = '__background__';

/** VOC's names of categories that COCO names differently. */
const ALIASES: Readonly<Record<string, string>> = {
  aeroplane: 'airplane',
  motorbike: 'motorcycle',
  sofa: 'couch',
  tvmonitor: 'tv',
};

const SYNSETS: ReadonlyMap<string, string> = new Map(
  IMAGENET_CATEGORIES.map(({ synset, name }) => [synset, plain(name)]),
);

/** Gives "Dining table", "diningtable" and "dining_table" the same spelling, and replaces a synset (a folder of
 *  ImageNet) by its name. */
function canonical(name: string): string {
  const spelt = plain(name);
  return ALIASES[spelt] ?? SYNSETS.get(spelt) ?? spelt;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[\s_-]+/g, '');
}

/** For every wanted category the column of the file that has it, or −1. */
export function findColumns(wanted: readonly string[], known: readonly string[]): number[] {
  const same = wanted.length === known.length && wanted.every((name, i) => name === known[i]);
  if (same) return wanted.map((_, i) => i); // including columns without a name
  const columns = new Map(known.map((name, column) => [canonical(name), column]));
  columns.delete('');
  return wanted.map((name) => columns.get(canonical(name)) ?? -1);
}
