import { compareRuns } from '../trials/compareRuns.js';
import { comparisonTable } from './sweep.js';

/** `finetune compare`: a table of finished runs; those that differ in the seed alone are one row. */
export async function compare(directories: readonly string[], { json = false }: { json?: boolean }): Promise<void> {
  const comparison = await compareRuns(directories);
  console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison));
}
