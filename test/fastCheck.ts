import { assert as check, type IAsyncProperty, type IProperty, type IRawProperty, type Parameters } from 'fast-check';

/** fast-check for the tests of this package. Every property draws its cases from one seed, so that `npm test` checks the same
 *  cases each time. `npm run fuzz` (test/fuzz.mjs) sets another seed for each round, and multiplies the number of cases. */
export * from 'fast-check';

const seed = Number(process.env['FINETUNE_FUZZ_SEED'] ?? 1);
const times = Number(process.env['FINETUNE_FUZZ_TIMES'] ?? 1);
const DEFAULT_RUNS = 100; // fast-check's own

export function assert<Ts>(property: IAsyncProperty<Ts>, parameters?: Parameters<Ts>): Promise<void>;
export function assert<Ts>(property: IProperty<Ts>, parameters?: Parameters<Ts>): void;
export function assert<Ts>(property: IRawProperty<Ts>, parameters: Parameters<Ts> = {}): Promise<void> | void {
  const { numRuns = DEFAULT_RUNS } = parameters;
  return check(property, { ...parameters, seed, numRuns: numRuns * times });
}
