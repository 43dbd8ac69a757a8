import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseXml, XmlElement } from '@rgrove/parse-xml';
import sharp from 'sharp';
import { drawExample } from '../../src/report/overlay.js';
import type { Example } from '../../src/tasks/section.js';
import { fakeExample } from './fakeReport.js';

const names = ['disc', 'square', 'ring'];
let dir: string;
let example: Example;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'overlay-'));
  example = await fakeExample(dir, 7);
});
afterAll(() => rm(dir, { recursive: true }));

interface Panel {
  readonly note: string;
  readonly boxes: readonly { text: string; dashed: boolean; corners: readonly number[]; colour: string }[];
  readonly labels: readonly string[];
  readonly plates: readonly (readonly number[])[];
}

/** What is drawn on the left and on the right. */
async function panels(changes: Partial<Example> = {}, threshold = 0.3): Promise<{ truth: Panel; prediction: Panel }> {
  const figure = parseXml((await drawExample({ ...example, ...changes }, names, threshold)).markup).root!;
  const kids = (from: XmlElement, name: string): XmlElement[] =>
    from.children.flatMap((child) => (child instanceof XmlElement ? [...(child.name === name ? [child] : []), ...kids(child, name)] : [])); // prettier-ignore
  const corners = ({ attributes }: XmlElement) => {
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((key) => Number(attributes[key]));
    return [x!, y!, x! + width!, y! + height!];
  };
  const [truth, prediction] = kids(figure, 'svg').map((svg, i): Panel => {
    const rects = kids(svg, 'rect');
    const framed = rects.filter(({ children }) => children.length > 0);
    return {
      note: kids(figure, 'small')[i]!.text,
      boxes: framed.map((rect) => ({
        text: rect.text,
        dashed: rect.attributes['stroke-dasharray'] === '7 4',
        corners: corners(rect),
        colour: rect.attributes['stroke']!,
      })),
      labels: kids(svg, 'text').map(({ text }) => text),
      plates: rects.filter(({ attributes }) => attributes['class'] === 'plate').map(corners),
    };
  });
  return { truth: truth!, prediction: prediction! };
}

describe('drawExample', () => {
  test('draws predictions from the threshold on, and dashes what was missed and what is false', async () => {
    const { truth, prediction } = await panels();
    expect(truth.note).toBe('3 objects, 2 missed');
    expect(truth.boxes.map(({ text, dashed }) => [text, dashed])).toEqual([['disc', true], ['square', false], ['ring', true]]); // prettier-ignore
    expect(prediction.note).toBe('2 boxes, 1 false; 1 below 0.3');
    expect(prediction.boxes.map(({ text, dashed }) => [text, dashed])).toEqual([['square 0.91', false], ['disc 0.44', true]]); // prettier-ignore
    expect((await panels({}, 0.5)).prediction.labels).toEqual(['square 0.91']);
    expect((await panels({}, 0)).prediction.boxes).toHaveLength(3);
  });

  test('gives a class one colour on both sides, and each class its own', async () => {
    const { truth, prediction } = await panels();
    expect(new Set(truth.boxes.map(({ colour }) => colour)).size).toBe(3);
    expect(prediction.boxes[0]!.colour).toBe(truth.boxes[1]!.colour);
    expect(prediction.boxes[1]!.colour).toBe(truth.boxes[0]!.colour);
  });

  test('an object is found once, an ignored one as often as it likes', async () => {
    const square = example.truth[1]!;
    const twice = [0.9, 0.8].map((score) => ({ box: square.box, label: 'square', score }));
    const found = await panels({ truth: [square], predictions: twice });
    expect(found.prediction.boxes.map(({ dashed }) => dashed)).toEqual([false, true]);
    const ignored = await panels({ truth: [{ ...square, ignore: true }], predictions: twice });
    expect(ignored.prediction.boxes.map(({ dashed }) => dashed)).toEqual([false, false]);
    expect(ignored.truth.labels).toEqual(['square (ignored)']);
  });

  test('keeps boxes and labels within the picture, and labels apart', async () => {
    const predictions = Array.from({ length: 40 }, (_, i) => ({
      box: [i * 9 - 60, i * 7 - 60, i * 9 + 70, i * 7 + 50] as const,
      label: 'square',
      score: 0.5,
    }));
    const { boxes, plates } = (await panels({ predictions })).prediction;
    expect(boxes).toHaveLength(40);
    expect(plates.length).toBeGreaterThan(10);
    for (const [x1, y1, x2, y2] of [...boxes.map(({ corners }) => corners), ...plates]) {
      expect(Math.min(x1!, y1!)).toBeGreaterThanOrEqual(0);
      expect([x2! <= 480, y2! <= 360]).toEqual([true, true]);
    }
    plates.forEach((a, i) =>
      plates.slice(i + 1).forEach((b) => {
        const apart = a[2]! <= b[0]! + 0.11 || b[2]! <= a[0]! + 0.11 || a[3]! <= b[1]! + 0.11 || b[3]! <= a[1]! + 0.11;
        expect(apart).toBe(true);
      }),
    );
  });

  test('keeps a large picture to 480 pixels, upright, and names one that cannot be read', async () => {
    const file = join(dir, 'large.jpg');
    const pixels = { create: { width: 1200, height: 800, channels: 3, background: '#246' } } as const;
    await sharp(pixels).jpeg().withMetadata({ orientation: 6 }).toFile(file); // stored lying, shown standing
    const { markup } = await drawExample({ ...example, file, width: 800, height: 1200 }, names, 0.3);
    const base64 = /data:image\/jpeg;base64,([^"]+)/.exec(markup)![1]!;
    expect(await sharp(Buffer.from(base64, 'base64')).metadata()).toMatchObject({ width: 320, height: 480 });
    const missing = await drawExample({ ...example, file: join(dir, 'absent.png') }, names, 0.3);
    expect(missing.markup).toContain('cannot be read');
    expect(missing.markup).toContain('absent.png');
  });
});
