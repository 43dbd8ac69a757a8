import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { z } from 'zod';

/** What the server said about the file of which a part is there. */
const stateSchema = z.object({ validator: z.string().optional(), total: z.number().optional() });
export type PartState = z.infer<typeof stateSchema>;

const stateFile = (file: string): string => `${file}.json`;

export const writePartState = (file: string, state: PartState): Promise<void> =>
  writeFile(stateFile(file), JSON.stringify(state));

export const removePartState = (file: string): Promise<void> => rm(stateFile(file), { force: true });

export async function readPartState(file: string): Promise<PartState> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(stateFile(file), 'utf8')));
  } catch {
    return {};
  }
}

/** Removes a part and what is known about it. */
export async function discardPart(file: string): Promise<void> {
  await rm(file, { force: true });
  await removePartState(file);
}

export const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => undefined))?.size ?? 0;
