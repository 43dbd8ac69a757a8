import { NAMES, pictureOf, placeIn, type SmallBox, type SmallImage } from '../smallSet.js';

/** Writes images and their boxes as one program does, from what its documentation and its files show. */
export interface Tool {
  /** The layout that the folder is. */
  readonly format: string;
  readonly write: (root: string, images: readonly SmallImage[]) => Promise<void>;
  /** The parts that the folder has. */
  readonly parts?: readonly string[];
  /** What the layout calls the classes of the small set, where it has classes of its own (default: the same). */
  readonly called?: Readonly<Record<string, string>>;
}

export type Place = ReturnType<typeof placeIn>;

export const idOf = (name: string): number => NAMES.indexOf(name as (typeof NAMES)[number]);
export const imagesOf = (images: readonly SmallImage[], part: string): SmallImage[] =>
  images.filter((image) => image.part === part);
export const json = (value: unknown): string => JSON.stringify(value, null, 2);

export async function placePictures(
  place: Place,
  images: readonly SmallImage[],
  pathOf: (image: SmallImage) => string,
): Promise<void> {
  for (const image of images) place(pathOf(image), await pictureOf(image));
}

type Write = (place: Place, images: readonly SmallImage[]) => Promise<void>;

export const tool = (
  format: string,
  write: Write,
  parts = ['train', 'val'],
  called?: Readonly<Record<string, string>>,
): Tool => ({
  format,
  parts,
  ...(called && { called }),
  write: (root, images) => write(placeIn(root), images),
});

export const yoloLine = ({ width, height }: SmallImage, { name, box: [x, y, w, h] }: SmallBox): string =>
  [idOf(name), (x + w / 2) / width, (y + h / 2) / height, w / width, h / height]
    .map((n) => Number(n.toFixed(6)))
    .join(' ');
export const yoloText = (image: SmallImage): string => image.boxes.map((box) => `${yoloLine(image, box)}\n`).join('');

export const corners = ({ box: [x, y, w, h] }: SmallBox) => [
  [x, y],
  [x + w, y],
  [x + w, y + h],
  [x, y + h],
];

export interface CocoStyle {
  readonly first: number;
  readonly extra?: readonly object[];
  readonly fileName: (image: SmallImage) => string;
}

export function cocoJson(images: readonly SmallImage[], { first, extra = [], fileName }: CocoStyle): string {
  let id = first;
  return json({
    info: { description: '' },
    licenses: [{ id: 1, name: '', url: '' }],
    categories: [...extra, ...NAMES.map((name, i) => ({ id: i + 1, name, supercategory: 'cells' }))],
    images: images.map((image, i) => ({
      id: i + first,
      license: 1,
      file_name: fileName(image),
      height: image.height,
      width: image.width,
    })),
    annotations: images.flatMap((image, i) =>
      image.boxes.map(({ name, box }) => ({
        id: id++,
        image_id: i + first,
        category_id: idOf(name) + 1,
        bbox: box,
        area: box[2] * box[3],
        segmentation: [],
        iscrowd: 0,
      })),
    ),
  });
}

export const vocXml = (image: SmallImage, fileName: string): string =>
  `<annotation>
	<folder>images</folder>
	<filename>${fileName}</filename>
	<path>C:\\Users\\me\\${fileName}</path>
	<size><width>${image.width}</width><height>${image.height}</height><depth>3</depth></size>
	<segmented>0</segmented>
${image.boxes.map(({ name, box: [x, y, w, h] }) => `	<object>\n		<name>${name}</name>\n		<pose>Unspecified</pose>\n		<truncated>0</truncated>\n		<difficult>0</difficult>\n		<bndbox>\n			<xmin>${x + 1}</xmin>\n			<ymin>${y + 1}</ymin>\n			<xmax>${x + w}</xmax>\n			<ymax>${y + h}</ymax>\n		</bndbox>\n	</object>\n`).join('')}</annotation>\n`;

export const csvOf = (head: string | undefined, rows: readonly (readonly (string | number)[])[]): string =>
  [...(head === undefined ? [] : [head]), ...rows.map((row) => row.join(','))].map((line) => `${line}\n`).join('');

export const rowsOf = (
  images: readonly SmallImage[],
  row: (image: SmallImage, box: SmallBox) => readonly (string | number)[],
) => images.flatMap((image) => image.boxes.map((box) => row(image, box)));

export const cornersRow = ({ box: [x, y, w, h] }: SmallBox): number[] => [x, y, x + w, y + h];
export const shares = (image: SmallImage, box: SmallBox): number[] =>
  cornersRow(box).map((value, i) => value / (i % 2 === 0 ? image.width : image.height));
