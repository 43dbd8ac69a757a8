export const ENGINES = ['auto', 'tensorflow-gpu', 'tensorflow', 'wasm'] as const;

/** The flag that every command with a recipe has. */
export const SET: [flag: string, description: string, config: { type: StringConstructor[] }] = [
  '--set <key=value>',
  'set an option of the recipe (repeatable): --set train.epochs=12',
  { type: [String] },
];
