import { decodeUtf8 } from './encoding.js';
import { CocoError, type CocoErrorCode } from './errors.js';
import { findSyntaxError } from './jsonSyntax.js';

/** Reads the next bytes of a file into `into` and returns how many it read; 0 at the end of the file. */
export type ReadChunk = (into: Uint8Array) => number;

/** Approximate number of bytes that are passed to JSON.parse at once; a single element may be longer. */
const PIECE = 1 << 22;
const CHUNK = 1 << 20;

const [QUOTE, BACKSLASH, COMMA, COLON, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = new TextEncoder().encode(
  '"\\,:[]{}',
);

/** Reads a JSON document of any length whose bulk is in lists at the top or one level below, as in COCO's files: these
 *  are cut between elements and parsed in pieces.
 *  Throws E_COCO_JSON, E_COCO_NUMBER, E_COCO_ENCODING with byte offset and JSON path. */
export function readJsonInPieces(read: ReadChunk, pieceSize = PIECE): unknown {
  return new PieceReader(read, pieceSize).document();
}

class PieceReader {
  #bytes: Uint8Array = new Uint8Array(CHUNK);
  #base = 0; // offset of #bytes[0] in the file
  #length = 0; // number of bytes
  #at = 0;
  #start = 0; // of the bytes that must stay in memory

  constructor(
    readonly read: ReadChunk,
    readonly pieceSize: number,
  ) {}

  document(): unknown {
    this.#skipMark();
    const byte = this.#skipSpace();
    const value = byte === OPEN_LIST ? this.#list('') : byte === OPEN_OBJECT ? this.#object() : this.#raw('');
    if (this.#skipSpace() !== undefined) throw this.#fault('the text goes on after its end');
    return value;
  }

  #object(): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    this.#at++;
    if (this.#skipSpace() === CLOSE_OBJECT) {
      this.#at++;
      return members;
    }
    for (;;) {
      if (this.#skipSpace() !== QUOTE) throw this.#fault('expected a quoted key');
      const key = this.#raw('') as string;
      if (this.#skipSpace() !== COLON) throw this.#fault('expected ":"', key);
      this.#at++;
      const value = this.#skipSpace() === OPEN_LIST ? this.#list(key) : this.#raw(key);
      // a member named __proto__ must not become the prototype
      Object.defineProperty(members, key, { value, writable: true, enumerable: true, configurable: true });
      const next = this.#skipSpace();
      if (next !== COMMA && next !== CLOSE_OBJECT) throw this.#fault('expected "," or "}"', key);
      this.#at++;
      if (next === CLOSE_OBJECT) return members;
    }
  }

  #list(path: string): unknown[] {
    const list: unknown[] = [];
    this.#at++;
    if (this.#skipSpace() === CLOSE_LIST) {
      this.#at++;
      return list;
    }
    for (;;) {
      this.#start = this.#at;
      const end = this.#skipTo(
        (byte) => byte === CLOSE_LIST || (byte === COMMA && this.#at - this.#start >= this.pieceSize),
      );
      if (end === undefined) throw this.#parseError(path, list.length);
      for (const element of this.#parseElements(path, list.length)) list.push(element);
      this.#at++;
      if (end === CLOSE_LIST) return list;
    }
  }

  /** Parses any value as a whole. */
  #raw(path: string): unknown {
    this.#start = this.#at;
    if (this.#peek() === QUOTE) this.#skipString();
    else this.#skipTo((byte) => byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST);
    const bytes = this.#bytes.subarray(this.#start, this.#at);
    try {
      return JSON.parse(decodeUtf8(bytes, this.#base + this.#start));
    } catch (error) {
      if (error instanceof CocoError) throw error;
      const piece = { base: this.#base + this.#start, list: path, elements: 0 };
      throw findSyntaxError(bytes, piece) ?? this.#fault((error as Error).message, path);
    }
  }

  #parseElements(path: string, before: number): unknown[] {
    const text = decodeUtf8(this.#bytes.subarray(this.#start, this.#at), this.#base + this.#start);
    try {
      if (text.trim() === '') throw new SyntaxError('nothing after a comma');
      return JSON.parse(`[${text}]`) as unknown[];
    } catch {
      throw this.#parseError(path, before);
    }
  }

  /** The error in the elements from #start to #at, or to the end of the file. */
  #parseError(path: string, before: number): CocoError {
    const piece = this.#bytes.subarray(this.#start, this.#at);
    const closed = this.#peek() === undefined ? '' : ']';
    const bytes = new Uint8Array(piece.length + 1 + closed.length);
    bytes[0] = OPEN_LIST!;
    bytes.set(piece, 1);
    if (closed) bytes[bytes.length - 1] = CLOSE_LIST!;
    const where = { base: this.#base + this.#start - 1, list: path, elements: before };
    return findSyntaxError(bytes, where) ?? this.#fault('expected a value', `${path}[${before}]`);
  }

  /** Skips to the first byte outside strings and brackets that `stop` accepts, and returns it; undefined at the end of
   *  the file. */
  #skipTo(stop: (byte: number) => boolean): number | undefined {
    for (let depth = 0; ;) {
      const byte = this.#peek();
      if (byte === undefined) return undefined;
      if (byte === QUOTE) {
        this.#skipString();
        continue;
      }
      if (depth === 0 && (byte === COMMA || byte === CLOSE_LIST || byte === CLOSE_OBJECT) && stop(byte)) return byte;
      if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
      else if ((byte === CLOSE_LIST || byte === CLOSE_OBJECT) && depth > 0) depth--;
      this.#at++;
    }
  }

  #skipString(): void {
    for (this.#at++; ; this.#at++) {
      const byte = this.#peek();
      if (byte === BACKSLASH) this.#at++;
      else if (byte === undefined) return;
      else if (byte === QUOTE) {
        this.#at++;
        return;
      }
    }
  }

  #skipMark(): void {
    if (this.#peek() !== 0xef) return;
    for (const byte of [0xef, 0xbb, 0xbf]) if (this.#peek() === byte) this.#at++;
  }

  #skipSpace(): number | undefined {
    for (;;) {
      const byte = this.#peek();
      if (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9) {
        this.#start = this.#at;
        return byte;
      }
      this.#at++;
    }
  }

  #peek(): number | undefined {
    return this.#at < this.#length || this.#fill() ? this.#bytes[this.#at] : undefined;
  }

  /** Reads on until the byte at #at is loaded, keeping what begins at #start. Returns false at the end of the file. */
  #fill(): boolean {
    while (this.#at >= this.#length) {
      if (this.#length + CHUNK > this.#bytes.length) this.#makeRoom();
      const count = this.read(this.#bytes.subarray(this.#length, this.#length + CHUNK));
      if (count === 0) return false;
      this.#length += count;
    }
    return true;
  }

  #makeRoom(): void {
    const kept = this.#bytes.subarray(this.#start, this.#length);
    const room = kept.length + CHUNK > this.#bytes.length ? new Uint8Array((kept.length + CHUNK) * 2) : this.#bytes;
    room.set(kept);
    this.#bytes = room;
    this.#base += this.#start;
    this.#at -= this.#start;
    this.#length = kept.length;
    this.#start = 0;
  }

  #fault(message: string, path = '', code: CocoErrorCode = 'E_COCO_JSON'): CocoError {
    const byte = this.#peek();
    const found =
      byte === undefined
        ? 'the text ends too early: the file is truncated'
        : `${message}, found "${String.fromCharCode(byte)}"`;
    const offset = this.#base + Math.min(this.#at, this.#length);
    return new CocoError({ code, message: found, where: { offset, ...(path ? { path } : {}) } });
  }
}
