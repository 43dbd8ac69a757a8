import { continues, cutSidesOfUnion, isCut, unionOf, type CutSides } from './tiles.js';

/** What was found in a tile. */
export interface TilePart {
  /** x1, y1, x2, y2, in pixels of the image. */
  readonly bounds: readonly [number, number, number, number];
  readonly score: number;
  /** Parts of different kinds (classes) have nothing to do with each other. */
  readonly kind: number;
  readonly cut: CutSides;
}

/** How the parts of a task are compared and joined. */
export interface JoinRules<Part extends TilePart> {
  /** Share of `part` that `whole` covers, 0…1. */
  readonly covered: (part: Part, whole: Part) => number;
  /** The part with the extent of both; `bounds`, `score` and `cut` are those that it gets. */
  readonly join: (a: Part, b: Part, joined: Pick<TilePart, 'bounds' | 'score' | 'cut'>) => Part;
}

/** Least share of a cut part that lies in a whole object for it to be a part of that. */
const COVERED = 0.6;
/** Least score of the whole object, as a share of that of the part. A weaker one is no evidence. */
const WEAKEST = 0.5;

/** Makes whole objects of what was found tile by tile. A part that a seam cuts off is dropped if the object is whole in
 *  another tile; parts of an object that is whole in none are joined. What is whole is left as it is: duplicates are
 *  left to non-maximum suppression. Quadratic in the number of parts that are cut. */
export function joinParts<Part extends TilePart>(parts: readonly Part[], { covered, join }: JoinRules<Part>): Part[] {
  const whole = parts.filter(({ cut }) => !isCut(cut));
  const isPartOf = (part: Part, other: Part): boolean =>
    other !== part &&
    other.kind === part.kind &&
    other.score >= part.score * WEAKEST &&
    covered(part, other) >= COVERED;
  let open = parts
    .filter((part) => isCut(part.cut) && !whole.some((other) => isPartOf(part, other)))
    .sort((a, b) => b.score - a.score);
  // Rows of parts may fit together only when each of them is complete.
  for (let before = Infinity; open.length < before;) {
    before = open.length;
    open = joinOnce(open, join);
  }
  const rest = open.filter((part) => !open.some((other) => isSmaller(part, other) && isPartOf(part, other)));
  return [...whole, ...rest];
}

/** Joins each part with those that continue it, and these with those that continue them. */
function joinOnce<Part extends TilePart>(parts: readonly Part[], join: JoinRules<Part>['join']): Part[] {
  const open = [...parts];
  const joined: Part[] = [];
  while (open.length > 0) {
    const part = open.shift()!;
    const next = open.findIndex(
      (other) => other.kind === part.kind && continues(part.bounds, part.cut, other.bounds, other.cut),
    );
    if (next < 0) {
      joined.push(part);
      continue;
    }
    const [other] = open.splice(next, 1) as [Part];
    open.unshift(
      join(part, other, {
        bounds: unionOf(part.bounds, other.bounds),
        score: Math.max(part.score, other.score),
        cut: cutSidesOfUnion(part.bounds, part.cut, other.bounds, other.cut),
      }),
    );
  }
  return joined;
}

const isSmaller = (part: TilePart, other: TilePart): boolean => areaOf(part.bounds) < areaOf(other.bounds);

const areaOf = ([x1, y1, x2, y2]: TilePart['bounds']): number => (x2 - x1) * (y2 - y1);
