/** The name of an image within a name: gt_img_12.txt, poly_gt_img_12.txt, res_img_12.txt and img_12.jpg.txt are of
 *  img_12, as is img_12.jpg. */
const stemOf = (name: string): string =>
  name
    .replace(/(\.(jpe?g|jfif|png|gif|bmp|webp|tiff?|avif))?\.(?:txt|xml)$/i, '')
    .replace(/^(?:poly_)?(?:gt|res)_/i, '')
    .replace(/\.(jpe?g|jfif|png|gif|bmp|webp|tiff?|avif)$/i, '');

/** The number of an image, however it is written: img_12, img12, 12 and 0012 are number 12. Another name stays as it
 *  is. */
const numberOf = (stem: string): string => /^(?:img|image|ts|tr)?_?0*(\d+)$/i.exec(stem)?.[1] ?? stem;

export interface Pair {
  readonly name: string;
  /** Number of the image, or its name where two images have the same number. */
  readonly id: string;
  /** The other name of the same image; undefined if there is none, or if it is not certain. */
  readonly partner?: string | undefined;
  /** Names that could be of the same image, if there is more than one. */
  readonly rivals: readonly string[];
}

export interface Pairs {
  readonly pairs: readonly Pair[];
  /** The others that belong to no name, each with a name of the same number, if there is one. */
  readonly left: readonly { readonly name: string; readonly like?: string | undefined }[];
}

/** Pairs names with others that are of the same image: by the same name, or where that is missing by the same number. A
 *  name that has its own partner is not that of another number. */
export function pairNames(names: readonly string[], others: readonly string[]): Pairs {
  const byStem = groupBy(others, stemOf);
  const stems = new Set(names.map(stemOf));
  const loose = others.filter((other) => !stems.has(stemOf(other)));
  const byNumber = groupBy(loose, (other) => numberOf(stemOf(other)));
  const sameNumber = groupBy(names, (name) => numberOf(stemOf(name)));
  const partnersOf = (name: string): readonly string[] =>
    byStem.get(stemOf(name)) ?? byNumber.get(numberOf(stemOf(name))) ?? [];
  const users = groupBy(names, (name) => partnersOf(name).join('/') || `/${stemOf(name)}`);
  const pairs = names.map((name): Pair => {
    const partners = partnersOf(name);
    const sharing = users.get(partners.join('/') || `/${stemOf(name)}`)!.filter((other) => other !== name);
    const rivals = partners.length > 1 ? partners : sharing;
    const number = numberOf(stemOf(name));
    const id = sameNumber.get(number)!.length === 1 ? number : stemOf(name);
    return { name, id, rivals, ...(rivals.length === 0 && { partner: partners[0] }) };
  });
  const taken = new Set(names.flatMap(partnersOf));
  const left = others
    .filter((other) => !taken.has(other))
    .map((name) => ({ name, like: sameNumber.get(numberOf(stemOf(name)))?.[0] }));
  return { pairs: pairs.sort((a, b) => compareIds(a.id, b.id)), left };
}

/** Numbers by their value, before other names. */
function compareIds(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
  return x - y || (a < b ? -1 : Number(a > b));
}

function groupBy(names: readonly string[], key: (name: string) => string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) {
    const known = groups.get(key(name));
    if (known) known.push(name);
    else groups.set(key(name), [name]);
  }
  return groups;
}
