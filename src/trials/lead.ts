/** The score of a setting on the validation part by epoch, the mean of its seeds. */
export interface ScoreCurve {
  readonly name: string;
  readonly points: ReadonlyMap<number, number>;
}

/** The least difference of two scores, 0…1, that counts as a lead. */
const LEAST = 0.01;

/** Says which setting led early where that is not the one that leads in the end, so that a shorter comparison would
 *  have chosen another. Undefined where one leads throughout, or a lead is less than 0.01. */
export function describeLead(curves: readonly ScoreCurve[]): string | undefined {
  const [first] = curves;
  if (!first || curves.length < 2) return undefined;
  const epochs = [...first.points.keys()].filter((epoch) => curves.every(({ points }) => points.has(epoch)));
  epochs.sort((one, other) => one - other);
  const last = epochs.at(-1);
  if (epochs.length < 3 || last === undefined) return undefined;
  const at = (epoch: number) =>
    curves
      .map(({ name, points }) => ({ name, score: points.get(epoch)! }))
      .sort((one, other) => other.score - one.score) as [Standing, Standing, ...Standing[]];
  const [winner] = at(last);
  const early = epochs.filter((epoch) => {
    const [leader] = at(epoch);
    return leader.name !== winner.name && leader.score >= scoreOf(at(epoch), winner.name) + LEAST;
  });
  const until = early.at(-1);
  if (until === undefined) return undefined;
  const { name: leader } = at(until)[0];
  if (winner.score < scoreOf(at(last), leader) + LEAST) return undefined;
  return (
    `${leader} still led at epoch ${until} of ${last}, and ${winner.name} leads in the end: ` +
    'a shorter training would have chosen the first.'
  );
}

interface Standing {
  readonly name: string;
  readonly score: number;
}

const scoreOf = (standings: readonly Standing[], name: string): number =>
  standings.find((one) => one.name === name)!.score;
