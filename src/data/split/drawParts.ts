import { hashSeed } from '../../random.js';
import type { PartName } from '../sample.js';

/** Images that stay together. */
export interface Group {
  /** Unique among the groups. */
  readonly name: string;
  /** Number of images. */
  readonly size: number;
  /** The classes of each image, each once. */
  readonly classes: readonly (readonly number[])[];
}

/** The share of each part, in sum 1. */
export type Shares = { readonly train: number } & Partial<Readonly<Record<PartName, number>>>;

/** Draws the part of each group so that every part has its share of the images of every class, as far as groups allow
 *  it. A class in as many groups as there are parts is in every part, unless one of them has most of its images. As in
 *  the iterative stratification of Sechidis et al. 2011, the rarest class comes first. In the order that the seed gives,
 *  groups fill the test part, then the validation part; so a group that is added moves few others. */
export function drawParts(groups: readonly Group[], shares: Shares, seed: number): PartName[] {
  const held = (['test', 'val'] as const).filter((part) => shares[part] !== undefined);
  const order = groups
    .map((group, index) => ({ group, index, rank: hashSeed(seed, group.name) }))
    .sort((a, b) => a.rank - b.rank || (a.group.name < b.group.name ? -1 : 1));
  const members = new Map<number, number[]>(); // class → places in `order`
  order.forEach(({ group }, place) => {
    for (const classIndex of classesOf(group)) {
      const places = members.get(classIndex);
      if (places) places.push(place);
      else members.set(classIndex, [place]);
    }
  });
  const sum = (places: Iterable<number>, sizeOf: (group: Group) => number): number =>
    [...places].reduce((total, place) => total + sizeOf(order[place]!.group), 0);
  const quotasOf = (total: number, count: number): Quotas =>
    new Map(
      held.map((part, k) => {
        const least = count > held.length - k ? 1 : 0; // the training part comes first, then the validation part
        return [part, { left: Math.max(least, total * shares[part]!), most: total / 2 }];
      }),
    );
  const all = quotasOf(
    sum(order.keys(), ({ size }) => size),
    groups.length,
  );
  const byClass = new Map(
    [...members].map(([classIndex, places]) => {
      const total = sum(places, (group) => imagesOf(group, classIndex));
      return [classIndex, quotasOf(total, places.length)] as const;
    }),
  );

  const drawn = new Array<PartName | undefined>(groups.length).fill(undefined);
  const assign = (place: number, quotas: Quotas, size: (group: Group) => number): void => {
    const { group, index } = order[place]!;
    if (drawn[index] !== undefined) return;
    const part = held.find((part) => hasRoom(quotas.get(part)!, size(group))) ?? 'train';
    drawn[index] = part;
    if (part === 'train') return;
    take(all.get(part)!, group.size);
    for (const own of classesOf(group)) take(byClass.get(own)!.get(part)!, imagesOf(group, own));
  };
  const rarestFirst = [...members].sort(([a, x], [b, y]) => x.length - y.length || a - b);
  for (const [classIndex, places] of rarestFirst)
    for (const place of places) assign(place, byClass.get(classIndex)!, (group) => imagesOf(group, classIndex));
  for (const place of order.keys()) assign(place, all, ({ size }) => size);
  return drawn as PartName[];
}

/** How many images a part still wants, and how many a single group may have where it has none yet. */
interface Quota {
  left: number;
  readonly most: number;
  taken?: true;
}
type Quotas = ReadonlyMap<PartName, Quota>;

const hasRoom = ({ left, most, taken }: Quota, size: number): boolean =>
  size <= left + 0.5 - 1e-9 || (!taken && left > 0 && size <= most);

function take(quota: Quota, size: number): void {
  quota.left -= size;
  quota.taken = true;
}

const classesOf = ({ classes }: Group): ReadonlySet<number> => new Set(classes.flat());

const imagesOf = ({ classes }: Group, classIndex: number): number =>
  classes.filter((own) => own.includes(classIndex)).length;
