import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';

/** What two workers say to each other before anything else: which worker each is, and a proof that it knows the secret
 *  and the list of all workers. Whoever cannot prove it is not listened to. */

export interface Identity {
  readonly rank: number;
  /** The addresses of all workers, as text: part of what is proven. */
  readonly team: string;
  readonly secret: string;
}

const PROTOCOL = 'tfjs-finetune workers 1';
const MOST_LINE = 1024;
/** Milliseconds that the other end may take for each line. */
const PATIENCE = 10_000;

const proofOf = ({ team, secret }: Identity, side: 'caller' | 'listener', rank: number, nonce: string): string =>
  createHmac('sha256', secret)
    .update(JSON.stringify([PROTOCOL, team, side, rank, nonce]))
    .digest('hex');

function isProof(given: unknown, wanted: string): boolean {
  const text = typeof given === 'string' ? given : '';
  return text.length === wanted.length && timingSafeEqual(Buffer.from(text), Buffer.from(wanted));
}

/** Calls the worker of this rank. Throws an Error that says why it does not take part. */
export async function call(socket: Socket, self: Identity, rank: number): Promise<void> {
  const nonce = randomBytes(16).toString('hex');
  write(socket, { protocol: PROTOCOL, rank: self.rank, nonce });
  const answer = await readLine(socket);
  if (answer['rank'] !== rank || !isProof(answer['proof'], proofOf(self, 'listener', rank, nonce)))
    throw new Error(STRANGER);
  write(socket, { proof: proofOf(self, 'caller', self.rank, String(answer['nonce'])) });
  const { welcome, refusal } = await readLine(socket);
  if (welcome !== true) throw new Error(typeof refusal === 'string' ? refusal : STRANGER);
}

const STRANGER = 'it has another list of workers, or another FINETUNE_WORKERS_SECRET';

/** Answers a call, and returns the rank of the worker that calls. Throws an Error for anything else, and for a worker that
 *  must not join: `refuse` returns the reason, which that worker is told. */
export async function answer(
  socket: Socket,
  self: Identity,
  refuse: (rank: number) => string | undefined,
): Promise<number> {
  const { protocol, rank, nonce } = await readLine(socket);
  if (protocol !== PROTOCOL || typeof rank !== 'number') throw new Error('it is no worker of this version');
  const own = randomBytes(16).toString('hex');
  write(socket, { rank: self.rank, nonce: own, proof: proofOf(self, 'listener', self.rank, String(nonce)) });
  const { proof } = await readLine(socket);
  if (!isProof(proof, proofOf(self, 'caller', rank, own))) throw new Error(STRANGER);
  const refusal = refuse(rank);
  write(socket, refusal === undefined ? { welcome: true } : { welcome: false, refusal });
  if (refusal !== undefined) throw new Error(refusal);
  return rank;
}

const write = (socket: Socket, content: object): void => void socket.write(`${JSON.stringify(content)}\n`);

/** Reads one line of JSON, and leaves what follows it in the socket. */
function readLine(socket: Socket): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    let text = Buffer.alloc(0);
    const done = (act: () => void): void => {
      clearTimeout(patience);
      socket.pause();
      socket.off('data', take).off('error', refuse).off('close', closed);
      act();
    };
    const refuse = (error: Error): void => { done(() => { reject(error); }); }; // prettier-ignore
    const closed = (): void => { refuse(new Error('it closed the connection')); }; // prettier-ignore
    const patience = setTimeout(() => { refuse(new Error('it does not answer')); }, PATIENCE); // prettier-ignore
    const take = (bytes: Buffer): void => {
      text = Buffer.concat([text, bytes]);
      const end = text.indexOf('\n');
      if (end < 0 && text.length < MOST_LINE) return;
      done(() => {
        if (end < 0) { reject(new Error('it is no worker')); return; } // prettier-ignore
        if (end + 1 < text.length) socket.unshift(text.subarray(end + 1));
        try {
          resolve(JSON.parse(text.subarray(0, end).toString()) as Readonly<Record<string, unknown>>);
        } catch {
          reject(new Error('it is no worker'));
        }
      });
    };
    socket.on('data', take).on('error', refuse).on('close', closed);
    socket.resume();
  });
}
