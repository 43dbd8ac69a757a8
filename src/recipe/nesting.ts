import { Lexer } from 'yaml';

/** Most levels of lists and maps in a recipe. A backbone's table needs six. */
export const MAX_DEPTH = 100;

/** The offset at which a YAML text is nested too deeply to be parsed: the parser calls itself for each level, and ends
 *  the process at some 10,000 open brackets. Undefined if it is not. */
export const findDeepNesting = (text: string): number | undefined => deepIndent(text) ?? deepBrackets(text);

/** The line whose indentation is the last of more than MAX_DEPTH that each are deeper than the one before. */
function deepIndent(text: string): number | undefined {
  const open: number[] = [];
  for (const { index, 1: spaces } of text.matchAll(/^( *)[^\s#]/gm)) {
    const indent = spaces!.length;
    while ((open.at(-1) ?? -1) >= indent) open.pop();
    open.push(indent);
    if (open.length > MAX_DEPTH) return index + indent;
  }
  return undefined;
}

/** The bracket or dash that opens one level too many. */
function deepBrackets(text: string): number | undefined {
  if (!mayBeDeep(text)) return undefined;
  let [brackets, dashes, offset] = [0, 0, 0];
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (token === SCALAR) isScalar = true;
    if (MARKS.includes(token)) continue;
    if (isScalar) isScalar = false;
    else if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets--;
    else if (token === '-' || token === '?') dashes++;
    else if (token.startsWith('\n')) dashes = 0;
    if (brackets + dashes > MAX_DEPTH) return offset;
    offset += token.length;
  }
  return undefined;
}

/** What the lexer puts before a scalar; and all that it puts between the parts of the text. */
const SCALAR = '\x1f';
const MARKS = [SCALAR, '\x02', '\x18'];

/** Whether a text has so many brackets, or so many dashes one after the other, that the lexer must tell which of them
 *  open a level: it takes a quarter of the time of parsing. */
function mayBeDeep(text: string): boolean {
  let [open, most, dashes] = [0, 0, 0];
  for (const character of text) {
    if (character === '[' || character === '{') most = Math.max(most, ++open);
    else if (character === ']' || character === '}') open = Math.max(0, open - 1);
    else if (character === '-' || character === '?') dashes++;
    else if (character !== ' ' && character !== '\t') dashes = 0;
    if (most + dashes > MAX_DEPTH) return true;
  }
  return false;
}
