/** What a test imports from '@jest/globals'. After a test file, the functions it replaced and the environment variables it
 *  set are as before, since the next file runs in the same process. */
export const { expect, test, it, describe, beforeAll, afterAll, beforeEach, afterEach, jest } = globalThis;

/** The runner knows no time limit. A test that hangs ends its worker, and Jest reports that. */
const MINUTES = 5;

if (import.meta.url.includes('?')) {
  const before = { ...process.env };
  let watchdog;
  beforeEach(() => {
    clearTimeout(watchdog);
    if (before.FINETUNE_SLOW === '1' || before.FINETUNE_FUZZ_SEED !== undefined) return;
    const { testPath } = expect.getState();
    watchdog = setTimeout(() => {
      console.error(`After ${MINUTES} minutes, a test of ${testPath} has not ended.`);
      process.exit(1);
    }, MINUTES * 60_000).unref();
  });
  afterAll(() => {
    clearTimeout(watchdog);
    jest.restoreAllMocks();
    for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  });
}
