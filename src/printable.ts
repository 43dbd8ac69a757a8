/** Control characters except the line feed and the tab, and those that change the direction in which a terminal writes. */
const CONTROL = /(?![\n\t])[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** The text with escapes such as \x1b in the place of control characters, so that the contents of a file cannot command
 *  the terminal on which they are shown. */
export const printable = (text: string): string =>
  text.replace(CONTROL, (character) => {
    const code = character.codePointAt(0)!;
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
