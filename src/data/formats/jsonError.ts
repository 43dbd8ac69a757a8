/** Characters that V8 quotes before the place of a mistake. */
const QUOTED_BEFORE = 10;

/** Where JSON.parse found a mistake, in characters from the start of the text: V8's message says the position, or quotes
 *  what stands around it. Undefined if its wording changes. */
export function offsetOfJsonError(message: string, text: string): number | undefined {
  const position = /position (\d+)/.exec(message)?.[1];
  if (position !== undefined) return Number(position);
  const [, token, dots, around] =
    /^Unexpected token '(.+?)', (\.\.\.)?"(.*)"(?:\.\.\.)? is not valid JSON$/s.exec(message) ?? [];
  const start = around === undefined ? -1 : text.indexOf(around);
  if (start < 0) return undefined;
  return start + (dots === undefined ? Math.max(0, around!.indexOf(token!)) : QUOTED_BEFORE);
}
