import type { CAC } from 'cac';
import { FORMATS, TARGETS } from '../../export/names.js';
import { oneOf } from '../usage.js';
import { TASKS } from './init.js';
import { ENGINES } from './shared.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

export function defineCompletion(program: CAC): void {
  program
    .command(
      'completion <shell>',
      'print a script that completes commands, options, recipes and names: bash, zsh, fish',
    )
    .example(() => 'source <(finetune completion bash)')
    .action(async (asked: string) => {
      const shell = oneOf('the shell', asked, SHELLS);
      const { completionSpec } = await import('../completion/spec.js');
      const { backbones } = await import('../../models/registry.js');
      const { catalog } = await import('../../weights/catalog.js');
      const models = [...backbones.keys()];
      const weights = catalog.map(({ name }) => name);
      const spec = completionSpec(program, {
        arguments: { models, weights, score: ['coco', 'voc', 'icdar'], completion: SHELLS },
        values: {
          '--task': TASKS,
          '--engine': ENGINES,
          '--against': models,
          '--weights': weights,
          '--format': FORMATS,
          '--for': TARGETS,
        },
      });
      const { bashCompletion } = await import('../completion/bash.js');
      const { zshCompletion } = await import('../completion/zsh.js');
      const { fishCompletion } = await import('../completion/fish.js');
      console.log({ bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion }[shell](spec));
    });
}
