import { wrap } from '../markdown.js';
import type { ModelSummary } from './describe.js';
import { differences } from './published.js';
import { findBackbone } from './registry.js';

const millions = (value: number | null): string => (value === null ? '–' : (value / 1e6).toFixed(2));
const billions = (value: number | null): string => (value === null ? '–' : (value / 1e9).toFixed(2));
const percent = (value: number | null): string => (value === null ? '–' : value.toFixed(1));

/** Median milliseconds of one image by names, and on what. */
export interface Latencies {
  readonly conditions: string;
  readonly milliseconds: Readonly<Record<string, number>>;
}

export const HEADINGS = ['', 'params M', 'published', 'MACs G', 'published', 'at', 'top-1 %', 'top-5 %'] as const;

/** Name, counted and published parameters, counted and published MACs, resolution, published accuracy. */
export function cells({ name, params, macs, resolution, published }: ModelSummary): string[] {
  return [
    name,
    millions(params),
    millions(published.params),
    billions(macs),
    billions(published.macs),
    String(resolution),
    percent(published.top1),
    percent(published.top5),
  ];
}

const row = (texts: readonly string[]): string => `| ${texts.join(' | ')} |`;

/** docs/models.md: every backbone, counted and published. */
export function modelsReference(summaries: readonly ModelSummary[], { conditions, milliseconds }: Latencies): string {
  const sources = [...new Set(summaries.map(({ published }) => published.source))];
  const number = (source: string): string => String(sources.indexOf(source) + 1);
  const lines = summaries.map((summary) => {
    const { source } = findBackbone(summary.name);
    return row([
      ...cells(summary),
      milliseconds[summary.name]?.toFixed(1) ?? '–',
      summary.published.source === 'none' ? '–' : number(summary.published.source),
      source,
    ]);
  });
  const introduction = [
    `After reading this page you can choose a backbone by its cost and its published accuracy, and describe one of your own. Any name below can be \`model.backbone\` in a recipe.`,
    `Parameters and multiply-adds (MACs) are counted by \`src/graph/count.ts\` for one image at the resolution \`at\`, with the classifier of 1000 classes; the columns beside them have the published figures. The accuracy is published, in percent of right answers on the validation images of ImageNet-1k, and belongs to the weights of that source. \`finetune models NAME\` shows the feature maps of one backbone and counts its stages; with \`--latency\` it measures their time. \`finetune models recipe.yaml\` does the same for the backbone of a recipe, for example a table of your own, beside the published backbone with the nearest number of MACs.`,
    `\`ms here\` is measured for one image at that resolution, with the classifier, folded BatchNorm and constant weights: ${conditions} (\`test/bench/latency.mjs\`). Other engines and machines differ, so measure yours.`,
    `Every backbone that timm or torchvision has is compared with it, and some that only pytorchcv has with pytorchcv (\`test/models/equality.test.ts\`): with the same weights, feature maps and logits are equal in training and in inference, with BatchNorm folded and not. The others are compared by their counts: the reconstructions, randwire_ws, mobilenetv1_mixconv, mobilenetv2_mixconv, rexnet_090, rexnet_220, rexnet_lite, resnext50_64x4d, shufflenet_g3_w2, amoebanet_a_mobile and the narrow mobilenetv1. A \`_reconstruction\` has the published budget of a network whose table was never published; its published figures are those of the original. Names that begin with \`tf_\` are for weights that TensorFlow trained, with its padding and its ε.`,
  ];
  return `# Backbones

<!-- Written by \`npm run docs:models\`, or, with the measured figures as they are in docs/latency.json, by
     \`finetune models --markdown > docs/models.md\`. test/models/reference.test.ts compares it with the code. -->

${introduction.map((paragraph) => wrap(paragraph)).join('\n\n')}

${row([...HEADINGS, 'ms here', 'source', 'architecture'])}
${row([...HEADINGS, '', '', ''].map(() => '---'))}
${lines.join('\n')}

## A table of your own

\`model.backbone\` also takes rows, as in the tables of the papers. This is MobileNetV2
([recipe.md](recipe.md#modelbackbone) has every option):

\`\`\`yaml
model:
  backbone:
    name: mine
    stem: 32
    rows:
      - { operator: bottleneck, expansion: 1, channels: 16 }
      - { operator: bottleneck, expansion: 6, channels: 24, repeats: 2, stride: 2 }
      - { operator: bottleneck, expansion: 6, channels: 32, repeats: 3, stride: 2 }
      - { operator: bottleneck, expansion: 6, channels: 64, repeats: 4, stride: 2 }
      - { operator: bottleneck, expansion: 6, channels: 96, repeats: 3 }
      - { operator: bottleneck, expansion: 6, channels: 160, repeats: 3, stride: 2 }
      - { operator: bottleneck, expansion: 6, channels: 320 }
    head: 1280
\`\`\`

${wrap(`\`finetune models mine.yaml\` prints parameters, MACs, activation memory and milliseconds of every row, and compares the whole with the nearest published network, or with the one that \`--against mobilenetv2_100\` names. A file with these lines alone is enough. Each row is a stage for \`train.freeze.stages\`. Parameters have the names that timm gives those of the MobileNet family, so this table loads timm's \`mobilenetv2_100\`.`)}

## Sources and differences

Sources of the published figures:

${sources
  .filter((source) => source !== 'none')
  .map((source) => `${number(source)}. ${source}`)
  .join('\n')}

Counted and published figures differ by more than rounding for:

${Object.entries(differences)
  .map(([name, why]) => wrap(`- ${name}: ${why}`, '  '))
  .join('\n')}
`;
}
