import { join } from 'node:path';
import { makeFolder, writeNew } from '../../../files/folders.js';
import type { ModelDescription } from '../../../tasks/description/description.js';
import { softmax } from '../../../tasks/classification/probabilities.js';
import type { Format } from '../../format.js';
import type { Checkpoint } from '../../source.js';
import { scoreClasses } from '../evaluators.js';
import { describeInput, feedAs, withInput, type InputLayout } from '../input.js';
import type { Obstacle, Target } from '../target.js';
import { preprocessorOf } from './preprocessor.js';

/** The preprocessor rescales pixels to 0…1, and the model normalises them. */
const INPUT: InputLayout = { name: 'pixel_values', layout: 'NCHW', range: [0, 1] };
const OUTPUT = 'logits';

/** A folder that `pipeline('image-classification', folder)` of @huggingface/transformers loads. */
export const transformersjs: Target = {
  name: 'transformersjs',
  formats: ['onnx'],
  whyNot,
  adapt({ description }, net, format) {
    const logits = Object.values(net.program.outputs)[0]!;
    return {
      net: withInput({ ...net, program: { outputs: { [OUTPUT]: logits } } }, INPUT),
      format: inFolder(format, description),
      feed: feedAs(INPUT),
      evaluator: scoreClasses((results) => softmax(results[OUTPUT]!)),
      card: {
        input: describeInput(INPUT, description.size),
        outputs: { [OUTPUT]: '[1, K]: the logit of each class' },
        note: 'transformers.js resizes photos without antialiasing, in another way than training did',
      },
    };
  },
};

function whyNot({ description: { task, images, size } }: Checkpoint): Obstacle | undefined {
  if (task !== 'classification')
    return {
      message: `transformersjs reads classifiers, and this is a model for ${task}`,
      fix: 'leave --for out, set --format onnx, and run it with tfjs-finetune/runtime and onnxruntime-web',
    };
  const { resize } = images;
  if (resize === 'stretch' || (resize === 'crop' && size[0] === size[1])) return undefined;
  const shape = resize === 'crop' ? ` with an input of ${size[1]}x${size[0]} pixels` : '';
  return {
    message: `the preprocessor of transformers.js has no equal of data.resize: ${resize}${shape}`,
    fix: 'train with data.resize: stretch, or crop to a square; or leave --for out',
  };
}

/** The package has a list of types that it knows, and looks up by them which task a model is for. Its pre-processing comes from
 *  the other file. */
const MODEL_TYPE = 'mobilenet_v2';

/** The format in the folder onnx/, with the two files that the package reads beside it. */
const inFolder = (format: Format, description: ModelDescription): Format => ({
  ...format,
  async write(folder, net, quantizing) {
    const inner = join(folder, MODELS);
    await makeFolder(inner);
    const { files, ...written } = await format.write(inner, net, quantizing);
    const names = description.categories.map(({ name }) => name);
    const config = {
      model_type: MODEL_TYPE,
      architectures: ['MobileNetV2ForImageClassification'],
      id2label: Object.fromEntries(names.map((name, i) => [i, name])),
      label2id: Object.fromEntries(names.map((name, i) => [name, i])),
    };
    const texts = { 'config.json': config, 'preprocessor_config.json': preprocessorOf(description) };
    for (const [name, content] of Object.entries(texts))
      await writeNew(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
    return { ...written, files: [...files.map((name) => `${MODELS}/${name}`), ...Object.keys(texts)] };
  },
  open: (folder, net) => format.open(join(folder, MODELS), net),
});

const MODELS = 'onnx';
