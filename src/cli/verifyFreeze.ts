import { verifyFreeze } from '../train/checkpoint/receipt.js';

/** `finetune verify-freeze`: compares a run's checkpoints with its freeze.json → whether everything frozen is
 *  unchanged. */
export async function verifyFreezeCommand(directory: string, { json = false }: { json?: boolean }): Promise<boolean> {
  const { tensors, checkpoints } = await verifyFreeze(directory);
  const unchanged = checkpoints.every(({ changed }) => changed.length === 0);
  if (json) {
    console.log(JSON.stringify({ unchanged, tensors: Object.keys(tensors).length, checkpoints }));
    return unchanged;
  }
  console.log(`${Object.keys(tensors).length} frozen tensors, BatchNorm statistics included`);
  for (const { name, changed } of checkpoints) {
    const more = changed.length > 5 ? ` and ${changed.length - 5} more` : '';
    const verdict = changed.length === 0 ? 'unchanged' : `CHANGED: ${changed.slice(0, 5).join(', ')}${more}`;
    console.log(`  ${name.padEnd(9)} ${verdict}`);
  }
  return unchanged;
}
