import { didYouMean, nearest } from '../didYouMean.js';
import { FinetuneError } from '../errors.js';
import type { Backbone } from './backbone.js';
import { alexnet } from './backbones/alexnet.js';
import { condensenet } from './backbones/condensenet.js';
import { darts } from './backbones/darts.js';
import { densenet } from './backbones/densenet.js';
import { dpn } from './backbones/dpn.js';
import { efficientnet } from './backbones/efficientnet.js';
import { fbnet } from './backbones/fbnet.js';
import { googlenet } from './backbones/googlenet.js';
import { inceptionv3 } from './backbones/inceptionv3.js';
import { mixnet } from './backbones/mixnet.js';
import { mnasnet } from './backbones/mnasnet.js';
import { mobilenetv1 } from './backbones/mobilenetv1.js';
import { mobilenetv2 } from './backbones/mobilenetv2.js';
import { mobilenetv3 } from './backbones/mobilenetv3.js';
import { mobilenetv4 } from './backbones/mobilenetv4.js';
import { nasnet } from './backbones/nasnet.js';
import { pelee } from './backbones/pelee.js';
import { proxylessnas } from './backbones/proxylessnas.js';
import { pyramidnet } from './backbones/pyramidnet.js';
import { randwire } from './backbones/randwire.js';
import { resnet } from './backbones/resnet.js';
import { rexnet } from './backbones/rexnet.js';
import { rexnetLite } from './backbones/rexnetLite.js';
import { shufflenetv1 } from './backbones/shufflenetv1.js';
import { shufflenetv2 } from './backbones/shufflenetv2.js';
import { squeezenet } from './backbones/squeezenet.js';
import { talk } from './backbones/talk.js';
import { vgg } from './backbones/vgg.js';
import { xception } from './backbones/xception.js';
import { tableBackbone, type BackboneChoice } from './table.js';

/** Every family of backbones, in the order in which docs and commands list them. To add a family, add its file to
 *  backbones/ and its name here. */
export const families: readonly (readonly Backbone[])[] = [
  rexnet,
  rexnetLite,
  mobilenetv1,
  mobilenetv2,
  mobilenetv3,
  mobilenetv4,
  mnasnet,
  efficientnet,
  mixnet,
  fbnet,
  proxylessnas,
  resnet,
  vgg,
  shufflenetv1,
  shufflenetv2,
  squeezenet,
  densenet,
  googlenet,
  inceptionv3,
  xception,
  pelee,
  pyramidnet,
  alexnet,
  dpn,
  condensenet,
  nasnet,
  darts,
  randwire,
  talk,
];

/** Every backbone by its name. */
export const backbones: ReadonlyMap<string, Backbone> = new Map(
  families.flat().map((backbone) => [backbone.name, backbone]),
);

/** The backbones whose names begin with a name without its width: mobilenetv2 is mobilenetv2_035, mobilenetv2_050 … */
export const familyOf = (name: string): readonly Backbone[] =>
  backbones.has(name) ? [] : [...backbones.values()].filter((backbone) => backbone.name.startsWith(`${name}_`));

/** The family that was meant, where its width was left out: moblenetv2. */
function suggestFamily(typed: string): string | undefined {
  if (/_\d/.test(typed)) return undefined;
  const names = [...backbones.keys()].map((name) => name.replace(/_\d+$/, ''));
  const near = nearest(typed, new Set(names));
  if (near === undefined || backbones.has(near)) return undefined;
  return `did you mean "${near}"? Its names are ${familyOf(near)
    .map(({ name }) => name)
    .join(', ')}`;
}

/** What a person may have meant by a name that no backbone has; undefined if nothing is near. */
export const suggestBackbone = (typed: string): string | undefined =>
  suggestFamily(typed) ?? didYouMean(typed, backbones.keys());

/** The backbone of this name, or of a table. Throws E_MODEL_UNKNOWN with the nearest name. */
export function findBackbone(name: BackboneChoice): Backbone {
  if (typeof name === 'object') return tableBackbone(name);
  const found = backbones.get(name);
  if (found) return found;
  const [first] = familyOf(name);
  const fix = first
    ? `"${name}" has several widths: ${familyOf(name)
        .map(({ name: one }) => one)
        .join(', ')}`
    : (suggestBackbone(name) ?? 'finetune models lists them');
  throw new FinetuneError({ code: 'E_MODEL_UNKNOWN', message: `there is no backbone "${name}"`, fix });
}
