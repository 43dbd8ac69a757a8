import { afterAll } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of its own for a test file, removed when the file is done. */
export function temporaryFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'finetune-data-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
