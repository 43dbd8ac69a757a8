import { fitsFloat16, toFloat16 } from '../graph/float16.js';
import { DT, type NodeDef } from './graphDef.js';

/** Stores the parameters as float16, each with a node that converts it back: everything computes in float32. TensorFlow
 *  converts constants once, when it prepares a graph. A parameter with a value that float16 cannot hold stays in float32. */
export const halveConstants = (
  nodes: readonly NodeDef[],
  isParameter: (constant: string) => boolean,
): readonly NodeDef[] =>
  nodes.flatMap((node): NodeDef[] => {
    const { name, attrs } = node;
    if (node.op !== 'Const' || !isParameter(name) || !('tensor' in attrs.value!)) return [node];
    const { shape, values } = attrs.value.tensor;
    const floats = Float32Array.from(values);
    if (!fitsFloat16(floats)) return [node];
    const half = `${name}/float16`;
    const tensor = { dtype: 'float16', shape, values: toFloat16(floats) } as const;
    return [
      { ...node, name: half, attrs: { dtype: { type: DT.float16 }, value: { tensor } } },
      { name, op: 'Cast', inputs: [half], attrs: { SrcT: { type: DT.float16 }, DstT: { type: DT.float32 } } },
    ];
  });
