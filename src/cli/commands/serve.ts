import { readFileSync } from 'node:fs';
import type { CAC } from 'cac';
import { LEAST_TILE } from '../../geometry/tiles.js';
import type { ServeOptions } from '../../serve/options.js';
import { numberWithin, oneOf, UsageError, wholeNumber } from '../usage.js';
import { ENGINES } from './shared.js';

interface ServeFlags {
  readonly host?: string | number;
  readonly port?: unknown;
  readonly tokenFile?: string | number;
  readonly withoutToken?: boolean;
  readonly files?: string | number;
  readonly cors?: string | string[];
  readonly threshold?: unknown;
  readonly tile?: unknown;
  readonly engine?: string;
  readonly workers?: unknown;
  readonly batch?: unknown;
  readonly batchDelay?: unknown;
  readonly mostBytes?: unknown;
  readonly mostPixels?: unknown;
  readonly mostRequests?: unknown;
  readonly rate?: unknown;
  readonly timeLimit?: unknown;
}

export function defineServe(program: CAC): void {
  program
    .command('serve <model>', 'answer requests over HTTP with a trained model')
    .usage('serve <run, checkpoint, model folder or bundle> [--port P] [--host H] [--token-file FILE]')
    .option('--port <port>', 'port to listen on, 0 for a free one (default: 8000)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1, which only this machine reaches)')
    .option('--token-file <file>', 'file with the secret that requests must carry (or set FINETUNE_TOKEN)')
    .option('--without-token', 'let everyone who reaches --host use the server')
    .option('--files <dir>', 'folder whose images requests may name instead of sending them (default: none)')
    .option('--cors <origin>', "origin of web pages that may use the server, or '*'; may be repeated (default: none)")
    .option('--threshold <score>', 'least score of what is answered (default: the best one on the validation part)')
    .option('--tile <pixels>', 'read larger images in tiles of this side; none for whole images')
    .option('--engine <engine>', `engine to compute with: ${ENGINES.join(', ')} (default: onnxruntime)`)
    .option(
      '--workers <number>',
      'threads that each run the model; 0 for the thread of the server (default: one a core)',
    )
    .option('--batch <number>', 'images to run in one call when so many wait (default: 1)')
    .option('--batch-delay <ms>', 'milliseconds that an image waits for others of its batch (default: 0)')
    .option('--most-bytes <bytes>', 'bytes of a request at most (default: 16777216)')
    .option('--most-pixels <pixels>', 'pixels of an image at most (default: 50000000)')
    .option('--most-requests <number>', 'requests that wait or are computed at most; others get 503 (default: 64)')
    .option('--rate <number>', 'requests of one address in a minute at most; others get 429 (default: no limit)')
    .option('--time-limit <ms>', 'milliseconds after which a request is given up (default: 30000)')
    .action(async (model: string, flags: ServeFlags) => {
      const options = readFlags(flags);
      const { serveCommand } = await import('../serve.js');
      await serveCommand(model, options);
    });
}

function readFlags(flags: ServeFlags): ServeOptions {
  const { host, files, tile, cors } = flags;
  const token = readToken(flags.tokenFile);
  const whole = (flag: string, value: unknown, least: number) =>
    value === undefined ? undefined : wholeNumber(flag, value, least);
  const options = {
    ...{ host: host === undefined ? undefined : String(host), port: whole('--port', flags.port, 0) },
    ...{ token, withoutToken: flags.withoutToken, files: files === undefined ? undefined : String(files) },
    cors: cors === undefined ? undefined : [cors].flat().map(String),
    scoreThreshold: flags.threshold === undefined ? undefined : numberWithin('--threshold', flags.threshold, 0, 1),
    tiles: tile === undefined ? undefined : tile !== 'none' && { size: wholeNumber('--tile', tile, LEAST_TILE) },
    engine: flags.engine === undefined ? undefined : oneOf('--engine', flags.engine, ENGINES),
    workers: whole('--workers', flags.workers, 0),
    ...{ batch: whole('--batch', flags.batch, 1), batchDelay: whole('--batch-delay', flags.batchDelay, 0) },
    mostBytes: whole('--most-bytes', flags.mostBytes, 1),
    mostPixels: whole('--most-pixels', flags.mostPixels, 1),
    mostRequests: whole('--most-requests', flags.mostRequests, 1),
    ...{ rate: whole('--rate', flags.rate, 1), timeLimit: whole('--time-limit', flags.timeLimit, 1) },
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

/** A secret is no argument of a command: every user of the machine can see those. */
function readToken(file: string | number | undefined): string | undefined {
  if (file === undefined) return process.env['FINETUNE_TOKEN'] || undefined;
  let token: string;
  try {
    token = readFileSync(String(file), 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--token-file cannot be read: ${(error as Error).message}`);
  }
  if (token === '') throw new UsageError('--token-file is empty');
  return token;
}
