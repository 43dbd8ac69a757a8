import { parseDocument } from 'yaml';

/** What a text of YAML says, or what is wrong with it. */
export type Yaml = { readonly value: unknown } | { readonly fault: string; readonly line?: number | undefined };

/** A hundred levels that open one after the other: the parser takes minutes for a hundred thousand of them. */
const DEEP = /(?:[[{]\s*(?:[\w"']+\s*:\s*)?){100}|(?:[-?]\s+){100}/;

/** Parses a text of YAML that somebody else wrote; with the schema failsafe, values are the texts that stand there: 007
 *  is no number, and null a name. */
export function parseYaml(text: string, schema: 'core' | 'failsafe' = 'core'): Yaml {
  if (DEEP.test(text)) return { fault: 'its lists and maps are nested too deeply' };
  const document = parseDocument(text, { logLevel: 'silent', schema });
  const [error] = document.errors;
  if (error) return { fault: error.message.split('\n')[0]!, line: error.linePos?.[0].line };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch {
    return { fault: 'an alias has no anchor' };
  }
}
