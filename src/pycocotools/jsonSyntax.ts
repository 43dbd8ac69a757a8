import { CocoError, type CocoErrorCode } from './errors.js';

/** An array or object that is open at a byte. The open ones, outermost first, tell where in the document the byte is. */
interface Frame {
  readonly kind: '[' | '{';
  index: number; // of the element being read
  key: string; // of the member being read
}

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = new TextEncoder().encode(
  '"\\,:[]{}',
);
const latin1 = new TextDecoder('latin1'); // decodes any bytes, for messages
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const NOT_A_NUMBER = /[+-]?(?:NaN|nan|Infinity|inf)\b/y;
const WORD = /true|false|null/y;

/** A piece of a file: the offset of its first byte, and its place in the document. */
export interface PieceOf {
  readonly base: number;
  /** Path of the list that the piece continues. */
  readonly list: string;
  /** Number of elements of the list before the piece. */
  readonly elements: number;
}

/** Finds where a text ceases to be JSON: the byte, the path, and what was expected. It is called after JSON.parse has
 *  failed, to find the place. Undefined if nothing is wrong. */
export function findSyntaxError(bytes: Uint8Array, piece?: PieceOf): CocoError | undefined {
  const walker = new Walker(bytes);
  const fault = walker.walk();
  if (!fault) return undefined;
  const { offset, message, code } = fault;
  const [first] = walker.frames;
  if (piece && first) first.index += piece.elements;
  const path = (piece?.list ?? '') + pathOf(walker.frames);
  const place = piece ? { offset: piece.base + offset } : { ...lineAndColumn(bytes, offset), offset };
  return new CocoError({ code, message, where: { ...place, ...(path ? { path: path.replace(/^\./, '') } : {}) } });
}

function lineAndColumn(bytes: Uint8Array, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let i = bytes.indexOf(10); i >= 0 && i < offset; i = bytes.indexOf(10, i + 1)) {
    line++;
    lineStart = i + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

/** Maximum depth of a path in a message; a million brackets would make a message of megabytes. */
const MAX_PATH = 16;

function pathOf(frames: readonly Frame[]): string {
  const parts = frames
    .slice(0, MAX_PATH)
    .map(({ kind, index, key }) => (kind === '[' ? `[${index}]` : key === '' ? '' : `.${key}`));
  return parts.join('') + (frames.length > MAX_PATH ? '…' : '');
}

interface Fault {
  readonly offset: number;
  readonly message: string;
  readonly code: CocoErrorCode;
}

/** A strict scanner of JSON that keeps no values. It is iterative, so that a million brackets do not exhaust the stack. */
class Walker {
  readonly frames: Frame[] = [];
  #at: number;

  constructor(readonly bytes: Uint8Array) {
    this.#at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0; // byte-order mark
  }

  walk(): Fault | undefined {
    for (;;) {
      const fault = this.#value();
      if (fault !== 'done') return fault;
      const after = this.#afterValue();
      if (after === 'end') return undefined;
      if (after !== 'next') return after;
    }
  }

  /** Scans a scalar or an empty container to its end; enters a container that is not empty. */
  #value(): Fault | 'done' {
    for (;;) {
      const byte = this.#skipSpace();
      if (byte === QUOTE) return this.#string() === undefined ? this.#fault('the text ends inside a string') : 'done';
      if (byte !== OPEN_LIST && byte !== OPEN_OBJECT) return this.#scalar();
      this.#at++;
      this.frames.push({ kind: byte === OPEN_LIST ? '[' : '{', index: 0, key: '' });
      const next = this.#skipSpace();
      if (next === (byte === OPEN_LIST ? CLOSE_LIST : CLOSE_OBJECT)) {
        this.#at++;
        this.frames.pop();
        return 'done';
      }
      const fault = byte === OPEN_OBJECT ? this.#key() : undefined;
      if (fault) return fault;
    }
  }

  #afterValue(): Fault | 'next' | 'end' {
    for (;;) {
      const byte = this.#skipSpace();
      const frame = this.frames.at(-1);
      if (!frame) return byte === undefined ? 'end' : this.#fault('the text goes on after its end');
      this.#at++;
      if (byte === COMMA) {
        frame.index++;
        return frame.kind === '{' ? (this.#key() ?? 'next') : 'next';
      }
      if (byte !== (frame.kind === '[' ? CLOSE_LIST : CLOSE_OBJECT)) {
        this.#at--;
        return this.#fault(`expected "," or "${frame.kind === '[' ? ']' : '}'}"`);
      }
      this.frames.pop();
    }
  }

  #key(): Fault | undefined {
    const frame = this.frames.at(-1)!;
    frame.key = '';
    if (this.#skipSpace() !== QUOTE) return this.#fault('expected a quoted key');
    const key = this.#string();
    if (key === undefined) return this.#fault('the text ends inside a key');
    frame.key = key;
    if (this.#skipSpace() !== COLON) return this.#fault('expected ":"');
    this.#at++;
    return undefined;
  }

  /** Scans a string to its end; undefined if it does not end or is no JSON string, in which case #at is the place of
   *  the fault. */
  #string(): string | undefined {
    const start = ++this.#at;
    for (; this.#at < this.bytes.length; this.#at++) {
      const byte = this.bytes[this.#at]!;
      if (byte === QUOTE) return new TextDecoder().decode(this.bytes.subarray(start, this.#at++));
      if (byte < 0x20) return undefined;
      if (byte !== BACKSLASH) continue;
      this.#at++;
      const escape = this.#text(this.#at, 5);
      if (!/^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(escape)) return undefined;
      if (escape.startsWith('u')) this.#at += 4;
    }
    return undefined;
  }

  #scalar(): Fault | 'done' {
    const text = this.#text(this.#at, 512);
    for (const pattern of [NUMBER, WORD]) {
      pattern.lastIndex = 0;
      const match = pattern.exec(text);
      if (!match) continue;
      this.#at += match[0].length;
      return 'done';
    }
    NOT_A_NUMBER.lastIndex = 0;
    const bad = NOT_A_NUMBER.exec(text);
    if (bad) return this.#fault(`${bad[0]} is not a JSON number`, 'E_COCO_NUMBER');
    return this.#fault('expected a value');
  }

  #skipSpace(): number | undefined {
    for (;;) {
      const byte = this.bytes[this.#at];
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) return byte;
      this.#at++;
    }
  }

  #fault(message: string, code: CocoErrorCode = 'E_COCO_JSON'): Fault {
    const offset = this.#at;
    if (offset >= this.bytes.length) return { offset, code, message: 'the text ends too early: the file is truncated' };
    const found = JSON.stringify(this.#text(offset, 1));
    return { offset, code, message: code === 'E_COCO_JSON' ? `${message}, found ${found}` : message };
  }

  #text(start: number, length: number): string {
    return latin1.decode(this.bytes.subarray(start, start + length));
  }
}
