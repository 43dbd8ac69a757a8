import { ENGINES as NAMES } from '../../engine/names.js';

export const ENGINES = ['auto', ...NAMES] as const;

/** What decides how fast a command computes. Both are options of the recipe, too. */
export interface EngineFlags {
  readonly set?: readonly string[];
  readonly engine?: string | undefined;
  readonly threads?: string | number | undefined;
}
export const ENGINE: [flag: string, description: string] = [
  '--engine <engine>',
  `engine instead of the recipe's: ${ENGINES.join(', ')}`,
];
export const THREADS: [flag: string, description: string] = [
  '--threads <number>',
  "threads to compute with instead of the recipe's",
];
/** The settings of the recipe, those that have a flag of their own included. */
export const settingsOf = ({ set = [], engine, threads }: EngineFlags): string[] => [
  ...set,
  ...(engine === undefined ? [] : [`engine=${engine}`]),
  ...(threads === undefined ? [] : [`threads=${threads}`]),
];

/** The flag that every command with a recipe has. */
export const SET: [flag: string, description: string, config: { type: StringConstructor[] }] = [
  '--set <key=value>',
  'set an option of the recipe (repeatable): --set train.epochs=12',
  { type: [String] },
];
