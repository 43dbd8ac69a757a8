import { join } from 'node:path';
import sharp from 'sharp';
import { randomStream } from '../../src/random.js';
import type { CocoScore } from '../../src/evaluate/cocoScore.js';
import { cocoSections } from '../../src/evaluate/detection.js';
import type { Report } from '../../src/report/report.js';
import type { Example, Section, TruthBox } from '../../src/tasks/section.js';
import type { MetricsLine } from '../../src/train/log/record.js';

const random = randomStream(1, 'fake report');
const names = ['disc', 'square', 'ring'];

/** Metrics of a run that overfits a little after epoch 18 of 24. */
export function fakeLines(epochs = 24, groups = 40): MetricsLine[] {
  return Array.from({ length: epochs }, (_, i) => i + 1).flatMap((epoch): MetricsLine[] => {
    const t = epoch / epochs;
    const steps = Array.from({ length: groups }, (_, group): MetricsLine => {
      const done = (epoch - 1 + (group + 1) / groups) / epochs;
      const loss = 1.1 + 7 * Math.exp(-9 * done) + 0.3 * random.normal();
      return {
        type: 'step',
        step: Math.round(done * epochs * groups * 10),
        epoch: done * epochs,
        loss,
        parts: { box: 0.3 * loss, class: 0.7 * loss },
        lr: 0.01 * (1 + Math.cos(Math.PI * done)),
        gradientNorm: 2,
        imagesPerSecond: 12 + random.normal(),
        waiting: 0.02,
      };
    });
    return [
      ...steps,
      {
        type: 'epoch',
        epoch,
        step: epoch * groups * 10,
        trainLoss: 1.1 + 7 * Math.exp(-9 * t),
        valLoss: 1.35 + 6 * Math.exp(-8 * t) + Math.max(0, t - 0.7),
        metric: { AP: 0.42 - Math.abs(epoch - 18) / 60, AP50: 0.7 * (1 - Math.exp(-6 * t)), AP75: 0.4 * t },
        seconds: 31,
      },
    ];
  });
}

/** A drawn picture in `dir`, its truth, and predictions: the first object is missed, the second found, one box is false. */
export async function fakeExample(dir: string, imageId: number): Promise<Example> {
  const [width, height] = [400, 300];
  const shapes = Array.from({ length: 3 }, (_, i) => {
    const r = random.uniform(25, 45);
    const [x, y] = [70 + 125 * i, random.uniform(80, 220)];
    const hue = random.integer(0, 360);
    const round = `<circle cx="${x}" cy="${y}" r="${r}"`;
    const drawn = [
      `${round} fill="hsl(${hue},70%,50%)"/>`,
      `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" fill="hsl(${hue},70%,50%)"/>`,
      `${round} fill="none" stroke="hsl(${hue},70%,50%)" stroke-width="9"/>`,
    ];
    const truth: TruthBox = { box: [x - r, y - r, x + r, y + r], label: names[i]!, ignore: false };
    return { truth, svg: drawn[i]! };
  });
  const file = join(dir, `${imageId}.png`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#cbd5c0"/>${shapes.map((shape) => shape.svg).join('')}</svg>`;
  await sharp(Buffer.from(svg)).png().toFile(file);
  const truth = shapes.map((shape) => shape.truth);
  const [x1, y1, x2, y2] = truth[1]!.box;
  return {
    file,
    imageId,
    width,
    height,
    truth,
    predictions: [
      { box: [x1 + 3, y1 - 2, x2 + 4, y2 + 1], label: 'square', score: 0.91 },
      { box: [300, 10, 390, 60], label: 'disc', score: 0.44 },
      { box: [5, 5, 50, 50], label: 'disc', score: 0.12 },
    ],
    error: imageId,
    caption: '2 of 3 objects missed',
  };
}

const score: CocoScore = {
  metric: 'coco',
  iouType: 'bbox',
  ...{ AP: 0.42, AP50: 0.684, AP75: 0.433, APs: -1, APm: 0.391, APl: 0.502 },
  ...{ AR1: 0.301, AR10: 0.44, AR100: 0.461, ARs: -1, ARm: 0.42, ARl: 0.55 },
  perCategory: names.map((name, i) => ({ id: i + 1, name, AP: 0.5 - 0.1 * i, AP50: 0.8 - 0.1 * i })),
};

/** What the detection task shows, with other values. */
export const fakeSections = (examples: readonly Example[], changes: Partial<CocoScore> = {}): Section[] => [
  ...cocoSections({ ...score, ...changes }),
  { kind: 'boxes', examples, names, scoreThreshold: 0.3 },
];

/** A report as a run would write it, with a picture per image id. */
export async function fakeReport(dir: string, imageIds: readonly number[] = [1, 2]): Promise<Report> {
  const examples = [];
  for (const imageId of imageIds) examples.push(await fakeExample(dir, imageId));
  return {
    title: 'shapes · MobileNetV2-SSDLite 320',
    headline: 'AP 0.420, AP50 0.684 on 60 validation images, best at epoch 18 of 24.',
    metrics: {
      task: 'detection',
      metric: score,
      weightsSha256: '0'.repeat(64),
      part: 'val',
      best: { epoch: 18, name: 'AP', value: 0.42 },
      loss: { train: 1.12, val: 1.4567 },
      epochs: 24,
      seconds: 1123,
      imagesPerSecond: 12.57,
      params: 4_312_345,
      macs: 802_123_456,
      engine: 'tensorflow 2.21.0, 2 threads',
    },
    numbers: { AP: score.AP, AP50: score.AP50, AP75: score.AP75 },
    lines: fakeLines(),
    counts: { disc: { train: 310, val: 41 }, square: { train: 295, val: 38 }, ring: { train: 302, val: 44 } },
    recipeText: 'data:\n  format: coco\n  root: data/shapes\ntrain:\n  epochs: 24\n',
    versions: { 'tfjs-finetune': '0.1.0', node: '20.20.2', libtensorflow: '2.21.0' },
    dropped: { train: { 'box has no area': 3 }, val: {} },
    freeze: {
      tensors: 104,
      values: 1_812_345,
      before: 'sha256:9f2c7e3d1c4b5a69',
      after: 'sha256:9f2c7e3d1c4b5a69',
      engine: { constants: 34, sha256: 'sha256:1c4b5a699f2c7e3d' },
      names: ['backbone.conv_stem.weight', 'backbone.bn1.running_mean'],
    },
    notes: ['Frozen prefix folded and cached: a step takes 0.16 s instead of 0.62 s.'],
    sections: fakeSections(examples),
  };
}
