import { basename, join } from 'node:path';
import { parseXml, XmlElement, XmlError } from '@rgrove/parse-xml';
import { FinetuneError, type Where } from '../../errors.js';
import { lineOf, startsOfLines } from '../../lines.js';
import { numberCategories } from '../categories.js';
import type { PartName } from '../sample.js';
import { imagesOfFrames, shapesOfTrack, type TrackedShape } from './cvatTracks.js';
import { counted, filesLike, type Detect } from './detect/detected.js';
import { entriesInParts, partOf } from './detect/parts.js';
import { asText, sizeOf } from './records/readLabels.js';
import type { ImageRecord, ObjectRecord, PartRecords } from './records/record.js';
import { recordFormat } from './records/recordFormat.js';
import { notOfLayout, textLayout, type LabelFile } from './records/textLayout.js';
import { toNumber } from './textFile.js';

const isCvat = (text: string): boolean => /<annotations[\s>]/.test(text) && /<(?:image|track)\s/.test(text);
const SUBSET = /<image\s[^>]*\ssubset="([^"]*)"/g;

/** CVAT's own XML files. One that says of each image to which subset it belongs is the file of each of those parts. */
export const detectCvat: Detect = async (listing) => {
  const files = listing.files.filter((file) => /\.xml$/i.test(file)).slice(0, 200);
  const alike = await filesLike(listing, files, isCvat);
  if (alike.length === 0) return undefined;
  const subsetsOf = async (file: string): Promise<PartName[]> => {
    const subsets = [...(await listing.text(file)).matchAll(SUBSET)].map(([, name]) => partOf(name!));
    return subsets.filter((part) => part !== undefined);
  };
  const places = await entriesInParts(alike, subsetsOf);
  return { certainty: 0.99, why: `${counted(alike.length, 'XML file')} of CVAT`, ...places };
};

/** "CVAT for images 1.1": an XML file with the shapes of many images; or "CVAT for video 1.1", whose tracks have the
 *  shapes of one object on many frames. */
export const cvat = recordFormat(
  'cvat',
  detectCvat,
  textLayout((path) => /\.xml$/i.test(path), readCvat),
);

interface Reading extends LabelFile {
  readonly at: (element: XmlElement) => Where;
}

function readCvat(text: string, label: LabelFile): PartRecords | Promise<PartRecords> {
  const { file, part } = label;
  const root = parse(text, file);
  if (root.name !== 'annotations')
    throw notOfLayout(file, `the root of ${basename(file)} is <${root.name}>, not <annotations> of CVAT`);
  const elements = childrenOf(root);
  const starts = startsOfLines(text);
  const reading: Reading = { ...label, at: ({ start }) => ({ file, line: lineOf(starts, start) + 1 }) };
  const tracks = elements.filter(({ name }) => name === 'track');
  const images = elements.filter(({ name }) => name === 'image');
  const [kind, known] = tracks.length > 0 ? ['track', /^(?:version|meta|track)$/] : ['image', /^(?:version|meta|image)$/]; // prettier-ignore
  for (const element of elements)
    if (!known.test(element.name))
      reading.wrong(`<${element.name}> is no <${kind}>, and nothing else that CVAT writes there`, reading.at(element));
  if (tracks.length > 0) return readTracks(root, tracks, reading);
  const partIn = ({ attributes }: XmlElement): PartName | undefined => partOf(attributes['subset'] ?? '');
  const isDivided = images.some((image) => (partIn(image) ?? 'train') !== 'train');
  const own = images.filter((image) => !isDivided || (partIn(image) ?? 'train') === part);
  const names = labelsOf(root);
  return {
    images: own.flatMap((image) => readImage(image, reading) ?? []),
    ...(names.length > 0 && { categories: numberCategories(names) }),
  };
}

/** The frames of a video and what its tracks have on each. Throws E_LABEL_LAYOUT where it is not clear which image a frame
 *  is. */
async function readTracks(root: XmlElement, tracks: readonly XmlElement[], reading: Reading): Promise<PartRecords> {
  const { file, wrong, at } = reading;
  const meta = childrenOf(root).filter(({ name }) => name === 'meta');
  const [task] = meta.flatMap(childrenOf).filter(({ name }) => /^(?:task|job|project)$/.test(name));
  const field = (name: string): XmlElement | undefined =>
    [...meta, ...(task ? [task] : [])].flatMap(childrenOf).find((one) => one.name === name);
  const images = await imagesOfFrames(reading.root, file, toNumber(field('size')?.text.trim() ?? ''));
  if (!images)
    throw new FinetuneError({
      code: 'E_LABEL_LAYOUT',
      message: `${basename(file)} has the tracks of "CVAT for video", and it is not clear which image is which frame`,
      where: { file },
      fix: 'export it with its images, which are called frame_000000 and so on, or as "CVAT for images 1.1"',
    });
  const shapes = new Map<number, TrackedShape[]>();
  const frames = [...images.keys()].sort((a, b) => a - b);
  const unclear = (element: XmlElement): void => {
    wrong(
      `<${element.name}> of a track has no frame that there is an image of, or an "outside" that is neither 0 nor 1`,
      at(element),
    );
  };
  for (const shape of tracks.flatMap((track) => shapesOfTrack(track, frames, unclear))) {
    if (!images.has(shape.frame)) wrong(`there is no image of frame ${shape.frame}`, at(shape.element));
    const before = shapes.get(shape.frame);
    if (before) before.push(shape);
    else shapes.set(shape.frame, [shape]);
  }
  const [width, height] = ['width', 'height'].map(
    (side) => childrenOf(field('original_size') ?? root).find(({ name }) => name === side)?.text,
  );
  const names = labelsOf(root);
  return {
    images: [...images].map(([frame, image]) => ({
      name: image,
      file: join(reading.root, image),
      size: sizeOf(width, height),
      objects: (shapes.get(frame) ?? []).flatMap((shape, index) => readShape(shape, index, reading) ?? []),
      where: { file },
    })),
    ...(names.length > 0 && { categories: numberCategories(names) }),
  };
}

/** The root of a file. Throws E_LABEL_SYNTAX. */
function parse(text: string, file: string): XmlElement {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    if (root) return root;
  } catch (error) {
    const [message, line] =
      error instanceof XmlError
        ? [error.message.split('\n')[0]!.replace(/ \(line \d+, column \d+\)/, ''), error.line]
        : ['its elements are nested too deeply', undefined]; // the parser calls itself for each level
    const where = { file, ...(line !== undefined && { line }) };
    throw new FinetuneError({ code: 'E_LABEL_SYNTAX', message: `not XML: ${message}`, where }, { cause: error });
  }
  throw notOfLayout(file, `${basename(file)} is empty`);
}

/** The labels of the task or the project, each once: those of several jobs may be listed. */
function labelsOf(root: XmlElement): string[] {
  const meta = childrenOf(root).find(({ name }) => name === 'meta');
  const lists = meta
    ? childrenOf(meta)
        .flatMap(childrenOf)
        .filter(({ name }) => name === 'labels')
    : [];
  const names = lists.flatMap((list) =>
    childrenOf(list)
      .filter((label) => !childrenOf(label).some(({ name, text }) => name === 'parent' && text.trim() !== ''))
      .map((label) => asText(childrenOf(label).find(({ name }) => name === 'name')?.text)),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

function readImage(image: XmlElement, reading: Reading): ImageRecord | undefined {
  const { name: written, width, height } = image.attributes;
  const name = asText(written);
  const where = reading.at(image);
  if (name === undefined) {
    reading.wrong('an <image> has no name', where);
    return undefined;
  }
  const objects = childrenOf(image).flatMap(
    (element, index) =>
      readShape({ kind: element.name, attributes: element.attributes, element }, index, reading) ?? [],
  );
  return { name, size: sizeOf(width, height), objects, where };
}

function readShape(
  { kind, attributes, element }: Omit<TrackedShape, 'frame'>,
  index: number,
  { at, wrong, findings }: Reading,
): ObjectRecord | undefined {
  if (kind === 'tag') return undefined; // of the whole image
  const where = at(element);
  const category = asText(attributes['label']);
  const subject = `shape ${index + 1}${category === undefined ? '' : ` "${category}"`}`;
  const note = () => ({ message: subject, where });
  const numbers = (...keys: readonly string[]): number[] | undefined => {
    const values = keys.map((key) => toNumber(attributes[key] ?? ''));
    return values.includes(undefined) ? undefined : (values as number[]);
  };
  const base = { unit: 'pixels', where, subject } as const;
  if (category === undefined) wrong(`${subject} has no label`, where);
  else if (kind === 'box') {
    const box = numbers('xtl', 'ytl', 'xbr', 'ybr');
    const rotation = toNumber(attributes['rotation'] ?? '0') ?? 0;
    if (box && rotation === 0) return { ...base, category, form: 'box', points: box };
    if (box) {
      findings.count('rotated box read as the box around it', note);
      return { ...base, category, form: 'outline', points: turned(box, rotation) };
    }
    wrong(`${subject} has no xtl, ytl, xbr and ybr`, where);
  } else if (kind === 'polygon' || kind === 'ellipse' || kind === 'mask') {
    const points = { polygon: polygonOf, ellipse: ellipseOf, mask: maskOf }[kind](attributes, numbers);
    if (points) {
      findings.count(`${kind} read as the box around it`, note);
      return { ...base, category, form: 'outline', points };
    }
    wrong(`${subject} has no points of a ${kind}`, where);
  } else findings.count(`shape without area (${kind}), left out`, note);
  return undefined;
}

type Attributes = Readonly<Record<string, string>>;
type Numbers = (...keys: readonly string[]) => number[] | undefined;

function polygonOf({ points = '' }: Attributes): number[] | undefined {
  const values = points.split(/[;,]/).map(toNumber);
  return values.length < 6 || values.length % 2 === 1 || values.includes(undefined) ? undefined : (values as number[]);
}

function ellipseOf(_: Attributes, numbers: Numbers): number[] | undefined {
  const [cx, cy, rx, ry] = numbers('cx', 'cy', 'rx', 'ry') ?? [];
  return cx === undefined ? undefined : [cx - rx!, cy! - ry!, cx + rx!, cy! + ry!];
}

function maskOf(_: Attributes, numbers: Numbers): number[] | undefined {
  const [left, top, width, height] = numbers('left', 'top', 'width', 'height') ?? [];
  return left === undefined ? undefined : [left, top!, left + width!, top! + height!];
}

/** The corners of a box that is turned clockwise about its middle. */
function turned([x1, y1, x2, y2]: readonly number[], degrees: number): number[] {
  const [cx, cy, halfWidth, halfHeight] = [(x1! + x2!) / 2, (y1! + y2!) / 2, (x2! - x1!) / 2, (y2! - y1!) / 2];
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const corners = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const;
  return corners.flatMap(([right, down]) => {
    const [dx, dy] = [right * halfWidth, down * halfHeight];
    return [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos];
  });
}

const childrenOf = (element: XmlElement): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement);
