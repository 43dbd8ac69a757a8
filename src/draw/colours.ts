// The first 14 of Sasha Trubetskoy's "20 simple, distinct colors" that are not dark; further classes get hues at the golden angle.
const palette = [
  '#e6194b',
  '#3cb44b',
  '#ffe119',
  '#4363d8',
  '#f58231',
  '#42d4f4',
  '#f032e6',
  '#bfef45',
  '#fabed4',
  '#469990',
  '#dcbeff',
  '#9a6324',
  '#aaffc3',
  '#ffd8b1',
];

/** The colour of a class by its place in the list of classes: the same in a report and on the pictures of predict. */
export function classColour(index: number): string {
  return palette[index] ?? `hsl(${Math.round((index * 137.5) % 360)} 80% 62%)`; // 137.5°: the golden angle
}

/** Black or white, whichever is more legible on the colour. The colours beyond the palette are light. */
export function ink(colour: string): string {
  const channels = /^#(..)(..)(..)$/.exec(colour)?.slice(1) ?? ['ff', 'ff', 'ff'];
  const [red, green, blue] = channels.map((hex) => parseInt(hex, 16)) as [number, number, number];
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? '#000' : '#fff'; // luma, ITU-R BT.601
}
