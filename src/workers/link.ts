import type { Socket } from 'node:net';

/** The channel of the message that ends a connection. */
const GOODBYE = 0;
/** The channel of the empty messages that only show that a worker is alive. */
const PULSE = 2 ** 32 - 1;
/** Before each message: its length in bytes and its channel. */
const HEADER = 8;
/** A longer message is none of ours. */
const MOST_BYTES = 2 ** 30;

/** Milliseconds that a goodbye may take: the other end may have stopped reading. */
const PATIENCE = 2000;

/** How a connection ended: with a goodbye, which may have a reason, or without one. */
export type End = { readonly goodbye: string | null } | { readonly broken: string };

/** A connection to one other worker: messages on numbered channels, each of which is used once. */
export class Link {
  readonly #socket: Socket;
  readonly #arrived = new Map<number, Buffer>();
  readonly #waiting = new Map<number, { resolve: (bytes: Buffer) => void; reject: (error: Error) => void }>();
  #failure: Error | undefined;
  readonly #header = Buffer.alloc(HEADER);
  #read = 0;
  #body: Buffer | undefined;
  /** Memory of messages that were read, by size: new memory for each would make V8 collect garbage in every step. */
  readonly #spare = new Map<number, Buffer[]>();
  #isOver = false;
  /** When something last came from the other end, as `performance.now()` counts. */
  heard = performance.now();

  constructor(
    socket: Socket,
    readonly rank: number,
    private readonly ended: (end: End) => void,
  ) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => { this.#take(bytes); }); // prettier-ignore
    socket.on('error', ({ message }) => { this.#end({ broken: message }); }); // prettier-ignore
    socket.on('close', () => { this.#end({ broken: 'its connection was closed' }); }); // prettier-ignore
    if (socket.destroyed) queueMicrotask(() => { this.#end({ broken: 'its connection was closed' }); }); // prettier-ignore
    socket.resume();
  }

  /** Sends a message. The bytes must not change until it has arrived. */
  send(channel: number, bytes: Uint8Array): void {
    const header = Buffer.allocUnsafe(HEADER);
    header.writeUInt32LE(bytes.byteLength, 0);
    header.writeUInt32LE(channel, 4);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(bytes);
    this.#socket.uncork();
  }

  /** The message on a channel. */
  receive(channel: number): Promise<Buffer> {
    const here = this.#arrived.get(channel);
    this.#arrived.delete(channel);
    if (here) return Promise.resolve(here);
    if (this.#failure) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.set(channel, { resolve, reject }));
  }

  /** Takes back a message that nobody reads any more: its memory is used for others of its size. */
  recycle(message: Buffer): void {
    const spare = this.#spare.get(message.length) ?? [];
    this.#spare.set(message.length, [...spare, message]);
  }

  /** Rejects everything that waits for a message, now and later. */
  fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  /** Closes the connection without a goodbye. */
  destroy(): void {
    this.#socket.destroy();
  }

  /** Shows the other end that this one is alive. */
  pulse(): void {
    this.send(PULSE, Buffer.alloc(0));
  }

  /** Says goodbye and closes the connection when everything is sent. */
  async close(reason: string | null): Promise<void> {
    if (this.#socket.destroyed) return;
    this.send(GOODBYE, Buffer.from(JSON.stringify({ reason })));
    const patience = setTimeout(() => this.#socket.destroy(), PATIENCE);
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => { resolve(); }); // prettier-ignore
      this.#socket.end(() => { this.#socket.destroySoon(); }); // prettier-ignore
    });
    clearTimeout(patience);
  }

  #end(end: End): void {
    if (!('goodbye' in end)) this.#socket.destroy();
    if (this.#isOver) return;
    this.#isOver = true;
    this.ended(end);
  }

  #take(bytes: Buffer): void {
    this.heard = performance.now();
    let at = 0;
    while (at < bytes.length) {
      if (!this.#body) {
        const part = bytes.copy(this.#header, this.#read, at, at + HEADER - this.#read);
        at += part;
        this.#read += part;
        if (this.#read < HEADER) return;
        const length = this.#header.readUInt32LE(0);
        if (length > MOST_BYTES) {
          this.#end({ broken: 'it sent something that is no message of a worker' });
          return;
        }
        this.#body = this.#spare.get(length)?.pop() ?? Buffer.allocUnsafeSlow(length); // of its own, so that floats in it are aligned
        this.#read = 0;
      }
      const part = bytes.copy(this.#body, this.#read, at, at + this.#body.length - this.#read);
      at += part;
      this.#read += part;
      if (this.#read < this.#body.length) return;
      this.#finish(this.#header.readUInt32LE(4), this.#body);
    }
  }

  #finish(channel: number, body: Buffer): void {
    this.#body = undefined;
    this.#read = 0;
    if (channel === PULSE) return;
    if (channel === GOODBYE) {
      const { reason } = JSON.parse(body.toString()) as { readonly reason: string | null };
      this.#end({ goodbye: reason });
      return;
    }
    const waiting = this.#waiting.get(channel);
    this.#waiting.delete(channel);
    if (waiting) waiting.resolve(body);
    else this.#arrived.set(channel, body);
  }
}
