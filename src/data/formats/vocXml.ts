import { readFile } from 'node:fs/promises';
import { parseXml, XmlElement, XmlError } from '@rgrove/parse-xml';
import type { Where } from '../../errors.js';
import { lineOf, startsOfLines } from '../../lines.js';
import type { Findings } from '../findings.js';
import { decodeXml } from './decodeText.js';
import { toNumber } from './textFile.js';

/** Corners in pixels that belong to the box, counted from 1 (VOC devkit): a box from 3 to 3 is one pixel wide. */
export type InclusiveCorners = readonly [xmin: number, ymin: number, xmax: number, ymax: number];

export const cornerNames = ['xmin', 'ymin', 'xmax', 'ymax'] as const;

/** An <object> as the file has it: texts, which the caller checks by its own rules. */
export interface VocXmlObject {
  readonly name: string | undefined;
  readonly difficult: boolean;
  /** The four texts of <bndbox> in the order of `cornerNames`; undefined if there is no <bndbox>. */
  readonly corners: readonly (string | undefined)[] | undefined;
  /** The object in the words of an error message: `object 2 "dog"`. */
  readonly subject: string;
  /** File, line and column of its <bndbox>, or of the object itself if it has none. */
  readonly locate: () => Where & { readonly file: string; readonly line: number };
}

export interface VocXml {
  /** The texts of <size>. */
  readonly width: string | undefined;
  readonly height: string | undefined;
  /** The place of <size>, or the file. */
  readonly sizeAt: Where;
  readonly objects: readonly VocXmlObject[];
  /** The last part of <filename>, or of <path>. */
  readonly fileName: string | undefined;
}

/** Read a Pascal VOC annotation. The folders of <path> and <folder> are ignored: they are those of the annotator's disk.
 *  Returns undefined, and adds E_ENCODING or E_VOC_XML to `findings`, if the file is not text, not XML, or its root is
 *  not <annotation>. */
export async function readVocXml(file: string, findings: Findings): Promise<VocXml | undefined> {
  const text = await readFile(file)
    .then((bytes) => decodeXml(bytes, file))
    .catch((error: unknown) => findings.absorb(error));
  const root = text === undefined ? undefined : parse(text, file, findings);
  if (text === undefined || !root) return undefined;
  const starts = startsOfLines(text);
  const locate = (offset: number) => {
    const line = lineOf(starts, offset);
    return { file, line: line + 1, column: offset - starts[line]! + 1 };
  };
  for (const child of root.children) {
    if (!(child instanceof XmlElement) || child.name === 'object' || childrenOf(child, 'bndbox').length === 0) continue;
    const message = `<${child.name}> has a <bndbox>, but only an <object> can have one`;
    findings.problem({ code: 'E_VOC_OBJECT', message, where: locate(child.start) });
  }
  const objects = childrenOf(root, 'object').map((element, index): VocXmlObject => {
    const name = textOf(element, 'name');
    const upright = childrenOf(element, 'bndbox')[0];
    const turned = upright ? undefined : childrenOf(element, 'robndbox')[0];
    const box = upright ?? turned;
    if (turned)
      findings.count('rotated box read as the box around it', () => ({
        message: name ?? '',
        where: locate(turned.start),
      }));
    return {
      name,
      difficult: /^(?:1|true|yes)$/i.test(textOf(element, 'difficult') ?? ''),
      corners: turned ? cornersAround(turned) : upright && cornerNames.map((corner) => textOf(upright, corner)),
      subject: `object ${index + 1}${name ? ` "${name}"` : ''}`,
      locate: () => locate((box ?? element).start),
    };
  });
  const size = childrenOf(root, 'size')[0];
  const written = textOf(root, 'filename') ?? textOf(root, 'path');
  const fileName = written?.slice(Math.max(written.lastIndexOf('/'), written.lastIndexOf('\\')) + 1);
  return {
    width: size && textOf(size, 'width'),
    height: size && textOf(size, 'height'),
    sizeAt: size ? locate(size.start) : { file },
    objects,
    fileName,
  };
}

/** The corners around a box of roLabelImg: its middle, its size, and its clockwise rotation in radians. */
function cornersAround(box: XmlElement): (string | undefined)[] {
  const values = ['cx', 'cy', 'w', 'h', 'angle'].map((name) => toNumber(textOf(box, name) ?? ''));
  if (values.includes(undefined)) return cornerNames.map(() => undefined);
  const [cx, cy, w, h, angle] = values as [number, number, number, number, number];
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const [halfWidth, halfHeight] = [(w * cos + h * sin) / 2, (w * sin + h * cos) / 2];
  return [cx - halfWidth + 1, cy - halfHeight + 1, cx + halfWidth, cy + halfHeight].map(String);
}

function parse(text: string, file: string, findings: Findings): XmlElement | undefined {
  try {
    const { root } = parseXml(text, { includeOffsets: true });
    if (root?.name === 'annotation') return root;
    const message = `the root is <${root?.name ?? ''}>, not <annotation>`;
    findings.problem({ code: 'E_VOC_XML', message, where: { file } });
  } catch (error) {
    if (!(error instanceof XmlError)) {
      const message = 'its elements are nested too deeply'; // the parser calls itself for each level
      findings.problem({ code: 'E_VOC_XML', message, where: { file } });
      return undefined;
    }
    const message = `not XML: ${error.message.split('\n')[0]!.replace(/ \(line \d+, column \d+\)/, '')}`;
    findings.problem({ code: 'E_VOC_XML', message, where: { file, line: error.line, column: error.column } });
  }
  return undefined;
}

const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);

const textOf = (element: XmlElement, name: string): string | undefined =>
  childrenOf(element, name)[0]?.text.trim() || undefined;
