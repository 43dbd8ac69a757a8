import type { CAC } from 'cac';
import type { ModelsCommand } from '../models.js';
import { oneOf, UsageError } from '../usage.js';
import type { WeightsCommand } from '../weights.js';
import { ENGINES } from './shared.js';

export function defineModels(program: CAC): void {
  program
    .command(
      'models [name-or-recipe]',
      'list the backbones with parameters, MACs, stages and published figures, or count that of a recipe',
    )
    .option('--json', 'print them as one line of JSON')
    .option('--latency', 'measure inference of one image, stage by stage')
    .option('--against <name>', 'backbone to compare with (default for a recipe: the nearest in MACs)')
    .option('--markdown', 'print docs/models.md')
    .action(async (name: string | undefined, options: ModelsCommand) => {
      if (name === undefined && (options.latency || options.against !== undefined))
        throw new UsageError('--latency and --against need a name or a recipe');
      const { models } = await import('../models.js');
      await models(name, options);
    });
}

export function defineWeights(program: CAC): void {
  program
    .command('weights <uri>', 'list what a weights file holds: file: https: hf: npm: pip:, or a name of the catalog')
    .option('--json', 'print it as one line of JSON')
    .action(async (uri: string, options: WeightsCommand) => {
      const { weights } = await import('../weights.js');
      await weights(uri, options);
    });
}

export function defineDoctor(program: CAC): void {
  program
    .command('doctor', 'show the engine in use, why no better one is, and how fast it is')
    .option('--engine <engine>', `engine to look at: ${ENGINES.join(', ')}`)
    .option('--json', 'print it as JSON')
    .action(async ({ engine = 'auto', json = false }: { engine?: string; json?: boolean }) => {
      const { doctor } = await import('../doctor.js');
      await doctor({ engine: oneOf('--engine', engine, ENGINES), json });
    });
}

export function defineSetup(program: CAC): void {
  program
    .command('setup', 'install the compute engine')
    .option('--retry', 'try again although the last try failed')
    .action(async ({ retry = false }: { retry?: boolean }) => {
      const [{ setup }, { watched }] = await Promise.all([import('../setup.js'), import('../watched.js')]);
      await watched((hooks) => setup({ retry, ...hooks }));
    });
}
