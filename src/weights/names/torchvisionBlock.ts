const CONVOLUTIONS: Readonly<Record<number, readonly string[]>> = {
  2: ['conv_dw', 'conv_pw'],
  3: ['conv_pw', 'conv_dw', 'conv_pwl'],
};

/** Returns timm's name of a layer in a block of torchvision's mobile networks. `prefix` is torchvision's name of the
 *  block and `inner` what follows it, such as `.block.1.0.weight` (a convolution), `.block.1.1.bias` (its BatchNorm) or
 *  `.block.2.fc1.weight` (squeeze-excite); `has` tells which names the file has. A block of two convolutions has no
 *  expansion. Returns undefined for another name. */
export function blockLayerName(prefix: string, inner: string, has: (name: string) => boolean): string | undefined {
  const [, place, part = '', variable] = /^\.block\.(\d)\.(0|1|fc1|fc2)\.(\w+)$/.exec(inner) ?? [];
  if (place === undefined) return undefined;
  if (part.startsWith('fc')) return `se.conv_${part === 'fc1' ? 'reduce' : 'expand'}.${variable}`;
  const places = [0, 1, 2, 3].filter((k) => has(`${prefix}.block.${k}.0.weight`)); // squeeze-excite takes a place too
  const index = places.indexOf(Number(place));
  return `${part === '0' ? CONVOLUTIONS[places.length]?.[index] : `bn${index + 1}`}.${variable}`;
}
