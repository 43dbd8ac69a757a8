import { test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../../../shared/data');

/** A test on a data set outside the repository; skipped, with the reason in its name, where that is absent. */
export function testOnShared(name: string, folder: string, body: (dir: string) => Promise<void>): void {
  const dir = join(root, folder);
  if (existsSync(dir)) test(name, () => body(dir));
  else test.skip(`${name} (no ${dir})`, () => undefined);
}
