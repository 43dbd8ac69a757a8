/** Options that the model of every task has: where its values come from. */
import { z } from 'zod';
import { names } from '../../optionValues.js';

export const weights = {
  weights: z
    .string()
    .regex(/^(file|run|https?|hf|npm|pip):.|^(?!.*\.(safetensors|pth|pt|bin|h5|json)$)[\w-]+\.\w+$/)
    .optional()
    .meta({
      description:
        'Where to start from: `file:x.safetensors`, `run:<run directory>` (its best weights), `https://…`, `hf:owner/name`, `npm:package@version/path`, `pip:package==version/path`, or a name of the catalog (docs/weights.md); `#sha256=…` behind it is checked. A relative file or run counts as `data.root` does. Without it: random values.',
      expects: 'a URI that starts with file:, run:, https:, hf:, npm: or pip:, or a name of the catalog',
    }),
  allowMissing: names
    .default([])
    .describe(
      'Patterns (`*` stands for anything) of parameters that the weights may lack; those keep their random values.',
    ),
  allowUnused: names
    .default([])
    .describe('Patterns (`*` stands for anything) of tensors in the weights that the model may leave unused.'),
};
