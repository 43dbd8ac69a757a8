import { PYTORCH, type KnownConventions } from '../conventions.js';
import type { Param } from '../../graph/params.js';
import { COCO_COLUMNS } from '../../categories/coco.js';
import { BACKGROUND } from '../../categories/columns.js';
import { renaming, type NameMap } from './nameMap.js';

type Names = readonly (readonly [RegExp, string])[];

/** torchvision's names of backbone and pyramid, and ours. */
const PYRAMID: Names = [
  [/^backbone\.body\./, 'backbone.'],
  [/^backbone\.fpn\.(inner|layer)_blocks\.(\d)\.0\./, 'neck.$1_blocks.$2.'],
  [/^backbone\.fpn\.extra_blocks\./, 'neck.extra_blocks.'],
];

/** The heads of RetinaNet and Faster R-CNN. */
const HEADS: Names = [
  [/^head\.classification_head\.conv\.(\d)\.0\./, 'head.class.conv.$1.'],
  [/^head\.classification_head\.cls_logits\./, 'head.class.predict.'],
  [/^head\.regression_head\.conv\.(\d)\.0\./, 'head.box.conv.$1.'],
  [/^head\.regression_head\.bbox_reg\./, 'head.box.predict.'],
  [/^rpn\.head\.conv\.0\.0\./, 'head.rpn.conv.'],
  [/^rpn\.head\.cls_logits\./, 'head.rpn.objectness.'],
  [/^rpn\.head\.bbox_pred\./, 'head.rpn.offsets.'],
  [/^roi_heads\.box_head\./, 'head.box.'],
  [/^roi_heads\.box_predictor\.cls_score\./, 'head.box.class.'],
  [/^roi_heads\.box_predictor\.bbox_pred\./, 'head.box.offsets.'],
];

/** The head of FCOS. torchvision numbers convolutions, GroupNorms and ReLUs of its towers in one sequence, three for
 *  each layer. */
const FCOS: Names = [
  ...[0, 1, 2, 3].flatMap((i): Names => [
    [new RegExp(`^head\\.classification_head\\.conv\\.${i * 3}\\.`), `head.class.conv.${i}.`],
    [new RegExp(`^head\\.classification_head\\.conv\\.${i * 3 + 1}\\.`), `head.class.norm.${i}.`],
    [new RegExp(`^head\\.regression_head\\.conv\\.${i * 3}\\.`), `head.box.conv.${i}.`],
    [new RegExp(`^head\\.regression_head\\.conv\\.${i * 3 + 1}\\.`), `head.box.norm.${i}.`],
  ]),
  [/^head\.classification_head\.cls_logits\./, 'head.class.predict.'],
  [/^head\.regression_head\.bbox_reg\./, 'head.box.predict.'],
  [/^head\.regression_head\.bbox_ctrness\./, 'head.box.centerness.'],
];

const renamed = (name: string, names: Names): string => {
  const [pattern, ours] = names.find(([pattern]) => pattern.test(name)) ?? [/^/, ''];
  return name.replace(pattern, ours);
};

/** Adds the inner `0` to a pyramid's name, which files from before torchvision 0.14 lack. */
const withInner = (name: string): string =>
  name.replace(/^(backbone\.fpn\.(?:inner|layer)_blocks\.\d)\.(weight|bias)$/, '$1.0.$2');
/** Adds the inner `0`s to a name of RetinaNet or Faster R-CNN, in the head too, which files from before torchvision
 *  0.14 lack. */
const spelt = (name: string): string =>
  withInner(name)
    .replace(
      /^(head\.\w+_head\.conv\.)(\d)\.(weight|bias)$/,
      (_, path: string, i: string, part: string) => `${path}${Number(i) / 2}.0.${part}`,
    )
    .replace(/^rpn\.head\.conv\.(weight|bias)$/, 'rpn.head.conv.0.0.$1');

const rename = (name: string): string => renamed(spelt(name), [...PYRAMID, ...HEADS]);

/** A BatchNorm that was saved frozen (it counts no batches) was trained with ε = 0. */
const frozenConventions = (raw: ReadonlyMap<string, unknown>): KnownConventions => ({
  ...PYTORCH,
  ...(![...raw.keys()].some((name) => name.endsWith('num_batches_tracked')) && { epsilon: 0 }),
});

/** The published RetinaNet and Faster R-CNN have frozen BatchNorms. */
const withoutEpsilon = (map: NameMap): NameMap => ({
  ...map,
  apply: (raw, file) => ({ ...map.apply(raw, file), conventions: frozenConventions(raw) }),
});

/** Names the columns of torchvision's detectors that were trained on COCO; RetinaNet and FCOS never use the first
 *  one. */
const withCategories = (map: NameMap, predictor: string, perColumn: number, first: string): NameMap => ({
  ...map,
  apply: (raw, file) => {
    const columns = (raw.get(predictor)?.shape[0] ?? 0) / perColumn;
    const categories = columns === COCO_COLUMNS.length + 1 ? [first, ...COCO_COLUMNS] : undefined;
    return { ...map.apply(raw, file), categories, spareColumn: first === '' };
  },
});

/** Anchors per cell: three sizes, three proportions. */
const ANCHORS = 9;

/** https://github.com/pytorch/vision/blob/main/torchvision/models/detection/retinanet.py, retinanet_resnet50_fpn. */
export const torchvisionRetinanet = withCategories(
  withoutEpsilon(
    renaming({
      origin: "torchvision's retinanet_resnet50_fpn",
      models: /^resnet/,
      conventions: PYTORCH,
      recognises: (raw) =>
        raw.has('backbone.body.conv1.weight') && raw.has('head.classification_head.cls_logits.weight'),
      rename,
    }),
  ),
  'head.classification_head.cls_logits.bias',
  ANCHORS,
  '',
);

/** https://github.com/pytorch/vision/blob/main/torchvision/models/detection/fcos.py, fcos_resnet50_fpn. Its frozen
 *  BatchNorms keep ε = 1e-5. */
export const torchvisionFcos = withCategories(
  renaming({
    origin: "torchvision's fcos_resnet50_fpn",
    models: /^resnet/,
    conventions: PYTORCH,
    recognises: (raw) => raw.has('backbone.body.conv1.weight') && raw.has('head.regression_head.bbox_ctrness.weight'),
    rename: (name) => renamed(withInner(name), [...PYRAMID, ...FCOS]),
  }),
  'head.classification_head.cls_logits.bias',
  1,
  '',
);

/** Reorders rows from class by class, four offsets each, to offset by offset, all classes each: in our order a category
 *  is a column. */
function byOffset({ shape, data }: Param): Param {
  const columns = shape[0]! / 4;
  const width = data.length / shape[0]!;
  const rows = Array.from({ length: shape[0]! }, (_, row) => (row % columns) * 4 + Math.floor(row / columns));
  const ordered = new Float32Array(data.length);
  for (const [to, from] of rows.entries()) ordered.set(data.subarray(from * width, (from + 1) * width), to * width);
  return { shape, data: ordered };
}

const withOffsetsReordered = (map: NameMap): NameMap => ({
  ...map,
  apply: (raw, file) => {
    const named = map.apply(raw, file);
    const reorder = ([name, param]: [string, Param]): [string, Param] =>
      name.startsWith('head.box.offsets.') ? [name, byOffset(param)] : [name, param];
    return { ...named, params: new Map([...named.params].map(reorder)) };
  },
});

/** https://github.com/pytorch/vision/blob/main/torchvision/models/detection/faster_rcnn.py, fasterrcnn_resnet50_fpn. */
export const torchvisionFasterRcnn = withCategories(
  withOffsetsReordered(
    withoutEpsilon(
      renaming({
        origin: "torchvision's fasterrcnn_resnet50_fpn",
        models: /^resnet/,
        conventions: PYTORCH,
        recognises: (raw) =>
          raw.has('backbone.body.conv1.weight') && raw.has('roi_heads.box_predictor.cls_score.weight'),
        rename,
        // The first hidden layer is a filter over the 7 × 7 bins.
        reshape: (name, shape) => (name === 'head.box.fc6.weight' ? [shape[0]!, shape[1]! / 49, 7, 7] : shape),
      }),
    ),
  ),
  'roi_heads.box_predictor.cls_score.bias',
  1,
  BACKGROUND,
);
