import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FinetuneError } from '../errors.js';
import { onDisk } from '../files/disk.js';
import type { ModelDescription } from '../tasks/description/description.js';
import { parseDescription } from '../tasks/description/schema.js';
import { CARD_FILE, CARD_VERSION } from './card.js';
import { cardSchema, type ReadCard } from './cardSchema.js';

/** The file of a model in each format that can be run here; a format can have more files beside it. */
const MODEL_FILES: Readonly<Record<string, string>> = {
  onnx: 'model.onnx',
  savedmodel: 'saved_model.pb',
  tfjs: 'model.json',
  tflite: 'model.tflite',
};

/** An exported model. */
export interface ModelFolder {
  readonly card: ReadCard;
  readonly description: ModelDescription;
  readonly directory: string;
  /** The content of the model's file. */
  readonly bytes: Uint8Array;
}

const failure = (file: string, message: string, fix: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_MODEL_FOLDER', message, where: { file }, fix }, { cause });

const AGAIN = 'export the model again (finetune export)';

/** Whether a folder with these files is a model folder, or a part of one. */
export const looksLikeModelFolder = (names: readonly string[]): boolean =>
  [CARD_FILE, ...Object.values(MODEL_FILES)].some((name) => names.includes(name));

/** Reads a model folder, and checks that its parts belong together. Throws E_MODEL_FOLDER for a folder that is not complete,
 *  damaged, or from a newer version; E_MODEL_DESCRIPTION. */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const names = await onDisk(folder, () => readdir(folder));
  const place = join(folder, CARD_FILE);
  if (!names.includes(CARD_FILE)) throw failure(folder, `half of a model folder: it has no ${CARD_FILE}`, AGAIN);
  const card = parseCard(await onDisk(place, () => readFile(place, 'utf8')), place);
  if (card.for != null) {
    const message = `the model was written for ${card.for}, whose inputs and outputs are others`;
    throw failure(place, message, 'predict with the run that it came from, or export it without --for');
  }
  const name = MODEL_FILES[card.format];
  if (name === undefined) {
    const known = Object.keys(MODEL_FILES).join(', ');
    throw failure(place, `models of the format "${card.format}" cannot be run here`, `export it as ${known}`);
  }
  const bytes = await readChecked(folder, names, name, card);
  for (const other of Object.keys(card.files)) if (other !== name) await readChecked(folder, names, other, card);
  const description = parseDescription(JSON.stringify(card.description), place);
  checkSize(card, description, place);
  return { card, description, directory: folder, bytes };
}

/** Reads a file of the model, if its content is the one that the card names. */
async function readChecked(
  folder: string,
  names: readonly string[],
  name: string,
  card: ReadCard,
): Promise<Uint8Array> {
  const file = join(folder, name);
  if (!names.includes(name)) throw failure(folder, `half of a model folder: it has no ${name}`, AGAIN);
  const bytes = await onDisk(file, () => readFile(file));
  if (createHash('sha256').update(bytes).digest('hex') === card.files[name]) return bytes;
  const message = `${name} is not the model that ${CARD_FILE} describes: its sha256 is another one`;
  throw failure(file, message, `put the files of one export together, or ${AGAIN}`);
}

function parseCard(text: string, file: string): ReadCard {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw failure(file, 'the card is not JSON: it is cut short, or has been changed', AGAIN, error);
  }
  const { version } = content !== null && typeof content === 'object' ? (content as { version?: unknown }) : {};
  if (typeof version === 'number' && version > CARD_VERSION) {
    const message = `the card has version ${version}, and this program reads versions up to ${CARD_VERSION}`;
    throw failure(file, message, 'update tfjs-finetune');
  }
  const { data, error } = cardSchema.safeParse(content);
  if (data) return data;
  const wrong = error.issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`);
  throw failure(file, `the card is not understood: ${wrong.join('; ')}`, AGAIN, error);
}

/** The description says how images are read, and the input what the model takes. */
function checkSize({ task, input }: ReadCard, description: ModelDescription, file: string): void {
  const [height, width] = description.task === 'text' ? description.evaluateSize : description.size;
  const expected = [1, height, width, 3];
  if (task === description.task && input.shape.join() === expected.join()) return;
  const message = `the card contradicts itself: its description is of a model for ${description.task} with the input [${expected.join(', ')}]`;
  throw failure(file, message, AGAIN);
}
