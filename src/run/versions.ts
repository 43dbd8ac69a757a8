import { readFileSync } from 'node:fs';

/** The version of this package. */
export function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url); // the same place from src/run and from dist/run
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
