import type {} from '@fastify/multipart'; // adds parts() to the type of requests
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { FinetuneError } from '../errors.js';
import { unsafePath } from '../safePath.js';
import { refusal } from './httpErrors.js';
import type { Limits } from './options.js';

/** An image of a request, or why it cannot be read. */
export interface Sent {
  /** The name that the client gave. */
  readonly file: string | undefined;
  readonly bytes: Uint8Array | FinetuneError;
}

/** What a request brings: its images, and the fields of its form. */
export interface Brought {
  readonly images: readonly Sent[];
  /** Whether the client sent a list of images, and gets a list of results. */
  readonly isList: boolean;
  readonly fields: Readonly<Record<string, string>>;
}

/** Images of a request at most. */
export const MOST_IMAGES = 16;
export const [MOST_FIELDS, MOST_FIELD_BYTES] = [20, 1000];

export interface Reading {
  readonly limits: Limits;
  /** Called when all bytes of the body are there. */
  readonly received: () => void;
}

/** Throws E_SERVE_TYPE for a body that is compressed: it would be taken for the bytes of an image. */
export function checkEncoding({ headers: { 'content-encoding': encoding } }: FastifyRequest): void {
  if (encoding === undefined || /^\s*(identity)?\s*$/i.test(encoding)) return;
  throw refusal('E_SERVE_TYPE', `the body is compressed (${encoding}), which is not read here`, 'send it as it is');
}

/** Reads the images of a request: a form with files, the bytes of one image, or JSON.
 *  Throws E_SERVE_REQUEST, E_SERVE_BYTES, E_SERVE_TYPE, and what `received` throws. */
export async function readRequest(request: FastifyRequest, { limits, received }: Reading): Promise<Brought> {
  if (request.isMultipart()) {
    const brought = await readForm(request, limits).catch((error: unknown) => {
      throw formError(error, limits);
    });
    received();
    return brought;
  }
  received();
  const { body } = request;
  if (body instanceof Uint8Array) {
    if (body.length === 0) throw refusal('E_SERVE_REQUEST', 'the request has no image');
    return { images: [{ file: undefined, bytes: body }], isList: false, fields: {} };
  }
  return readJson(body, limits);
}

async function readForm(request: FastifyRequest, { mostBytes }: Limits): Promise<Brought> {
  const images: Sent[] = [];
  const fields: Record<string, string> = {};
  let total = 0;
  for await (const part of request.parts()) {
    if (part.type === 'field') {
      fields[part.fieldname] = String(part.value);
      continue;
    }
    const pieces: Buffer[] = [];
    for await (const piece of part.file as AsyncIterable<Buffer>) {
      total += piece.length;
      if (total > mostBytes) throw tooLarge(mostBytes);
      pieces.push(piece);
    }
    images.push({ file: part.filename || undefined, bytes: Buffer.concat(pieces) });
  }
  if (images.length === 0)
    throw refusal('E_SERVE_REQUEST', 'the form has no file', 'send the image as a file: image=@photo.jpg');
  return { images, isList: images.length > 1, fields };
}

/** Why a form cannot be read. The parser throws errors of its own for what a client sends: a form without a boundary or an
 *  end, or one with too many parts. */
function formError(error: unknown, { mostBytes }: Limits): FinetuneError {
  if (error instanceof FinetuneError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'FST_REQ_FILE_TOO_LARGE':
      return tooLarge(mostBytes);
    case 'FST_FILES_LIMIT':
      return refusal('E_SERVE_BYTES', `the form has more than ${MOST_IMAGES} files`, 'send fewer at once');
    case 'FST_FIELDS_LIMIT':
    case 'FST_PARTS_LIMIT':
      return refusal('E_SERVE_BYTES', `the form has more than ${MOST_FIELDS} fields`);
    default:
      return refusal('E_SERVE_REQUEST', `the form cannot be read: ${message}`);
  }
}

export const tooLarge = (mostBytes: number): FinetuneError =>
  refusal('E_SERVE_BYTES', `the request has more than ${mostBytes} bytes`, 'send smaller images, or fewer at once');

const image = z.union([z.strictObject({ image: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]);
const bodySchema = z.union([image, z.strictObject({ images: z.array(image).min(1).max(MOST_IMAGES) })]);

async function readJson(body: unknown, { files, mostBytes }: Limits): Promise<Brought> {
  const { data } = bodySchema.safeParse(body);
  if (!data) {
    const shapes = `{"image": "<base64>"}, {"file": "<name>"} or {"images": […]} with at most ${MOST_IMAGES} of these`;
    throw refusal('E_SERVE_REQUEST', `the JSON is not ${shapes}`);
  }
  const isList = 'images' in data;
  const images = (isList ? data.images : [data]).map(async (one): Promise<Sent> => {
    if ('image' in one) return { file: undefined, bytes: fromBase64(one.image) };
    const bytes = await readBelow(files, one.file, mostBytes).catch((error: unknown) => {
      if (error instanceof FinetuneError) return error;
      throw error;
    });
    return { file: one.file, bytes };
  });
  return { images: await Promise.all(images), isList, fields: {} };
}

/** The bytes of base64 text, which may be a data: URL. */
function fromBase64(text: string): Uint8Array | FinetuneError {
  const plain = text.replace(/^data:[^,]*;base64,/, '').replace(/\s/g, '');
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(plain)) return Buffer.from(plain, 'base64');
  return refusal('E_SERVE_REQUEST', 'the image is no base64');
}

/** Reads a file of the folder that the server may read. Throws E_SERVE_REQUEST, E_IMAGE_MISSING, E_SERVE_BYTES. */
async function readBelow(folder: string | undefined, name: string, mostBytes: number): Promise<Uint8Array> {
  if (folder === undefined)
    throw refusal(
      'E_SERVE_REQUEST',
      'this server reads no files',
      'send the image, or start the server with --files DIR',
    );
  const why = unsafePath(name);
  if (why !== undefined) throw refusal('E_SERVE_REQUEST', `"${name}" is no name of a file below the folder: ${why}`);
  const missing = refusal('E_IMAGE_MISSING', `there is no image "${name}"`);
  const root = await realpath(resolve(folder));
  const path = await realpath(join(root, name)).catch(() => undefined);
  if (path === undefined || !path.startsWith(root.endsWith(sep) ? root : root + sep)) throw missing;
  const info = await stat(path);
  if (!info.isFile()) throw missing;
  if (info.size > mostBytes) throw tooLarge(mostBytes);
  return readFile(path).catch(() => {
    throw missing;
  });
}
