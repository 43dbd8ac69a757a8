import { withoutUnused, type TfliteModel, type TfliteNode } from './model.js';

/** The model with an input of bytes, whose values 0…255 are the pixels: converted to float32, or at once to the levels of a model
 *  that computes with int8. */
export function withByteInput(model: TfliteModel): TfliteModel {
  const [input] = model.inputs as [TfliteModel['inputs'][number]];
  const { tensor } = input;
  const bytes = `${tensor}.bytes`;
  const { shape } = model.tensors.get(tensor)!;
  const conversion: TfliteNode = { op: 'DEQUANTIZE', layer: tensor, inputs: [bytes], outputs: [tensor], options: {} };
  const nodes = model.nodes.map((node) =>
    node.op === 'QUANTIZE' ? { ...node, inputs: node.inputs.map((name) => (name === tensor ? bytes : name)) } : node,
  );
  return withoutUnused({
    ...model,
    tensors: new Map([...model.tensors, [bytes, { type: 'uint8', shape, levels: { scales: [1], zero: 0 } }]]),
    nodes: [conversion, ...nodes],
    inputs: [{ ...input, tensor: bytes }],
  });
}
