import { deserialize, serialize } from 'node:v8';
import { FinetuneError } from '../errors.js';
import { formatAddress, type Places } from './addresses.js';
import type { End, Link } from './link.js';
import { average, type Workers } from './workers.js';

/** Milliseconds between two signs of life. */
const PULSE = 1000;
/** Values of fewer bytes go to every worker at once, so that each computes the mean by itself: one way instead of two. */
const SMALL = 2 ** 14;

/** Workers that are connected, each with every other one. */
export class Team implements Workers {
  readonly rank: number;
  readonly count: number;
  readonly #places: Places;
  /** By rank, without a link to itself. */
  readonly #links: readonly Link[];
  readonly #lost = new AbortController();
  readonly signal = this.#lost.signal;
  #channel = 1;
  #waited = 0;
  #left = false;
  readonly #watch: NodeJS.Timeout;

  /** `silence`: seconds without a sign of life after which a worker counts as lost. */
  constructor(places: Places, silence: number, connect: (ended: (rank: number, end: End) => void) => readonly Link[]) {
    this.#places = places;
    this.rank = places.rank;
    this.count = places.addresses.length;
    this.#watch = setInterval(this.#watcher(1000 * silence), PULSE);
    this.#links = connect((rank, end) => { this.#ended(rank, end); }); // prettier-ignore
    for (const link of this.#links) link.heard = performance.now(); // none shows signs of life before all have come
  }

  async mean(parts: readonly Float32Array[], mean: Float32Array): Promise<void> {
    const began = performance.now();
    try {
      await (mean.byteLength < SMALL ? this.#meanAtOnce(parts, mean) : this.#meanInPieces(parts, mean));
    } finally {
      this.#waited += performance.now() - began;
    }
  }

  async gather<T>(own: T): Promise<T[]> {
    const all = await this.#exchange(Buffer.from(encode(own)));
    return all.map((bytes, rank) => (rank === this.rank ? own : (decode(bytes.toString()) as T)));
  }

  async toFirst<T>(own: T): Promise<T[] | undefined> {
    const channel = this.#channel++;
    this.signal.throwIfAborted();
    if (this.rank > 0) {
      this.#links.find(({ rank }) => rank === 0)!.send(channel, serialize(own));
      return undefined;
    }
    const others = await Promise.all(this.#links.map((link) => link.receive(channel)));
    return [own, ...others.map((bytes) => deserialize(bytes) as T)];
  }

  async fromFirst<T>(compute: () => Promise<T>): Promise<T> {
    if (this.rank > 0) return decode(Buffer.from(await this.bytesFromFirst(Buffer.alloc(0))).toString()) as T;
    const value = await compute();
    await this.bytesFromFirst(Buffer.from(encode(value)));
    return value;
  }

  async bytesFromFirst(bytes: Uint8Array): Promise<Uint8Array> {
    const channel = this.#channel++;
    this.signal.throwIfAborted();
    if (this.rank > 0) return this.#links.find(({ rank }) => rank === 0)!.receive(channel);
    for (const link of this.#links) link.send(channel, bytes);
    return bytes;
  }

  waited(): number {
    return this.#waited;
  }

  async leave(reason?: string): Promise<void> {
    this.#left = true;
    clearInterval(this.#watch);
    await Promise.all(this.#links.map((link) => link.close(reason ?? null)));
  }

  /** Sends the bytes to every other worker, and returns those of all by rank. */
  #exchange(own: Buffer): Promise<Buffer[]> {
    const channel = this.#channel++;
    this.signal.throwIfAborted();
    for (const link of this.#links) link.send(channel, own);
    return this.#receive(channel, own);
  }

  async #receive(channel: number, own: Buffer): Promise<Buffer[]> {
    const all = await Promise.all(this.#links.map((link) => link.receive(channel)));
    return [...all.slice(0, this.rank), own, ...all.slice(this.rank)];
  }

  async #meanAtOnce(parts: readonly Float32Array[], mean: Float32Array): Promise<void> {
    const all = await this.#exchange(Buffer.concat(parts.map(bytesOf))); // a copy, since it may be sent after this mean is known
    average(all.flatMap((bytes) => apart(bytes, mean.length)), mean); // prettier-ignore
  }

  /** Each worker averages one piece of the values, and sends the mean of it to all: each value travels to one worker and
   *  back, however many there are (Rabenseifner's all-reduce, with direct connections). Whoever has a mean has received
   *  the pieces for it, and sends nothing for the next one before: so no array is changed while it is sent. */
  async #meanInPieces(parts: readonly Float32Array[], mean: Float32Array): Promise<void> {
    const [there, back] = [this.#channel++, this.#channel++];
    this.signal.throwIfAborted();
    const piece = (of: Float32Array, rank: number): Float32Array => {
      const begin = (place: number) => Math.floor((place * mean.length) / this.count);
      return of.subarray(begin(rank), begin(rank + 1));
    };
    const pieces = (rank: number): Buffer => together(parts.map((part) => piece(part, rank)));
    for (const link of this.#links) link.send(there, pieces(link.rank));
    const own = piece(mean, this.rank);
    const arrived = await this.#receive(there, pieces(this.rank));
    average(arrived.flatMap((bytes) => apart(bytes, own.length)), own); // prettier-ignore
    for (const link of this.#links) {
      link.recycle(arrived[link.rank]!);
      link.send(back, bytesOf(own));
    }
    const others = await Promise.all(this.#links.map((link) => link.receive(back)));
    for (const [i, link] of this.#links.entries()) {
      piece(mean, link.rank).set(floatsOf(others[i]!));
      link.recycle(others[i]!);
    }
  }

  #ended(rank: number, end: End): void {
    if (this.#left || this.signal.aborted) return;
    const name = this.#nameOf(rank);
    const isDone = 'goodbye' in end && end.goodbye === null;
    const why = isDone ? 'it is done' : 'goodbye' in end ? end.goodbye : end.broken;
    const error = new FinetuneError({
      code: 'E_WORKERS_LOST',
      message: 'goodbye' in end ? `${name} has ended: ${why}` : `${name} is gone: ${why}`,
      fix: 'look at what that worker has printed; then start all workers again, the first one with --resume',
    });
    if (isDone)
      this.#links.find((link) => link.rank === rank)?.fail(error); // the others may need each other still
    else this.#lose(error);
  }

  #nameOf(rank: number): string {
    return `worker ${rank} (${formatAddress(this.#places.addresses[rank]!)})`;
  }

  /** Shows the others that this worker is alive, and gives up those that show nothing: their process was stopped, or the
   *  network does not pass anything on. A connection alone can look open for hours then. */
  #watcher(silence: number): () => void {
    let last = performance.now();
    return () => {
      const now = performance.now();
      const wasBusy = now - last > 2 * PULSE; // what had come meanwhile has not been read yet
      last = now;
      for (const link of this.#links) {
        link.pulse();
        if (wasBusy) link.heard = now;
        if (now - link.heard <= silence) continue;
        const message = `${this.#nameOf(link.rank)} has shown no sign of life for ${silence / 1000} s`;
        const fix =
          'see whether its process and the network work; then start all workers again, the first one with --resume';
        this.#lose(new FinetuneError({ code: 'E_WORKERS_LOST', message, fix }));
      }
    };
  }

  #lose(error: FinetuneError): void {
    clearInterval(this.#watch);
    this.#lost.abort(error);
    for (const link of this.#links) link.fail(error);
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
const floatsOf = ({ buffer, byteOffset, byteLength }: Buffer): Float32Array =>
  new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);

/** Arrays as one message; a single one is not copied. */
const together = (parts: readonly Float32Array[]): Buffer =>
  parts.length === 1 ? bytesOf(parts[0]!) : Buffer.concat(parts.map(bytesOf));
/** The arrays of a message, each of so many values. */
function apart(bytes: Buffer, length: number): Float32Array[] {
  const values = floatsOf(bytes);
  return Array.from({ length: values.length / length }, (_, i) => values.subarray(i * length, (i + 1) * length));
}

/** JSON in which numbers that are not finite are texts of their own. */
const encode = (value: unknown): string =>
  JSON.stringify({ value }, (_, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? { number: String(inner) } : inner,
  );
const decode = (text: string): unknown =>
  (
    JSON.parse(text, (_, inner: unknown) => {
      const { number, ...others } = (inner ?? {}) as { readonly number?: unknown };
      const isNumber = /^(NaN|-?Infinity)$/.test(String(number)) && Object.keys(others).length === 0;
      return typeof number === 'string' && isNumber ? Number(number) : inner;
    }) as { readonly value: unknown }
  ).value;
