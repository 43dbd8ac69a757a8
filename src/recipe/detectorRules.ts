import type { Conflict } from './conflict.js';
import type { Recipe } from './schema.js';

type Model = Extract<Recipe, { task: 'detection' }>['model'];
type InputSize = Extract<Recipe, { task: 'detection' }>['data']['size'];

/** Contradictions inside a detector's options: a head on a backbone it cannot stand on, anchors for other levels than it has. */
export function detectorConflicts(model: Model, isSet: (path: string) => boolean): Conflict[] {
  const found: Conflict[] = [];
  const { head, backbone } = model;
  const name = typeof backbone === 'string' ? `"${backbone}"` : 'a table';
  if (head === 'ssd' && !name.startsWith('"vgg')) {
    found.push({
      path: isSet('model.backbone') ? 'model.backbone' : 'model.head',
      message: `"model.head: ssd" stands on a VGG (its levels are conv4_3 and the wide layers), not on ${name}`,
      fix: 'set model.backbone: vgg16_caffe, or model.head: ssdlite',
    });
  }
  const levels = head === 'ssdlite' && model.finestStride === 8 ? 7 : 6;
  if ('anchors' in model && Array.isArray(model.anchors) && model.anchors.length !== levels) {
    found.push({
      path: 'model.anchors',
      message: `"model.anchors" has ${model.anchors.length} levels, "model.head: ${head}" has ${levels}`,
      fix: 'give each level a list, finest first; an empty one where nothing is to be predicted',
    });
  }
  return found;
}

/** Inputs of several shapes want anchors that are the same in all of them: in pixels, not as shares of the input, or a grid of fixed cells. */
export function sizeConflicts(size: InputSize, { head }: Model): Conflict[] {
  if (!('min' in size) || head === 'retinanet' || head === 'fasterRcnn') return [];
  const what = head === 'yolov1' ? 'has a grid for one size' : 'has anchors that are shares of one size';
  return [
    {
      path: 'data.size',
      message: `"model.head: ${head}" ${what}, and "data.size" gives a range`,
      fix: `set data.size: ${size.max}, or model.head: retinanet or fasterRcnn`,
    },
  ];
}
