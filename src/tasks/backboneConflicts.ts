import type { Conflict } from '../conflict.js';
import type { BackboneTable } from './backboneOption.js';

/** Number of rows with stride 2: the stem has stride 2 and the last feature map stride 32. */
const REDUCTIONS = 4;
const PATH = 'model.backbone.rows';

/** Contradictions between the options of a table. */
export function tableConflicts({ rows }: BackboneTable): Conflict[] {
  const found: Conflict[] = [];
  const reducing = [...rows.keys()].filter((i) => rows[i]!.stride === 2);
  if (reducing.length !== REDUCTIONS) {
    const missing = REDUCTIONS - reducing.length;
    found.push({
      path: missing > 0 ? PATH : `${PATH}.${reducing[REDUCTIONS]!}.stride`,
      message: `the last feature map has stride ${2 ** (reducing.length + 1)}; c5 needs 32`,
      fix: missing > 0 ? `give stride 2 to ${missing} more of the rows` : 'give stride 2 to four of the rows only',
    });
  }
  for (const [i, { operator, expansion, se, kernel }] of rows.entries()) {
    const idle = (key: string, value: unknown, fix: string): void => {
      if (value === undefined) return;
      const message = `"${PATH}.${i}.${key}" has no effect with operator: ${operator}`;
      found.push({ path: `${PATH}.${i}.${key}`, message, fix });
    };
    if (operator !== 'bottleneck') idle('expansion', expansion, 'remove it, or set operator: bottleneck');
    if (operator === 'conv') idle('se', se, 'remove it, or set operator: separable or bottleneck');
    if (operator === 'conv' && typeof kernel === 'object')
      found.push({
        path: `${PATH}.${i}.kernel`,
        message: 'a conv has one kernel; only depthwise convolutions can mix several',
        fix: 'give one number, or set operator: separable or bottleneck',
      });
  }
  return found;
}
