import { compareRuns } from '../trials/compareRuns.js';
import { comparisonTable } from './sweep.js';

/** `finetune compare`: finished runs side by side; seeds of one recipe are one row. */
export async function compare(directories: readonly string[], { json = false }: { json?: boolean }): Promise<void> {
  const comparison = await compareRuns(directories);
  console.log(json ? JSON.stringify(comparison) : comparisonTable(comparison));
}
