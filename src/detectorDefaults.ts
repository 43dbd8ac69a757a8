import type { DetectionOptions } from './tasks/detection/detection.js';
import type { DetectorOptions } from './tasks/detection/detector.js';

type Head = DetectionOptions['head'];

const shared = {
  size: [320, 320],
  focal: { alpha: 0.25, gamma: 2 },
  hardNegatives: 3,
  scoreThreshold: 0.05,
  candidates: 400,
  nms: 'hard',
  nmsThreshold: 0.6,
  maxDetections: 100,
} as const satisfies Omit<DetectorOptions, 'backbone' | 'numClasses'>;

const multiBox = { classLoss: 'sigmoid', boxLoss: 'smoothL1' } as const;

/** What a program gets that names nothing but the backbone and the head; a recipe has its own defaults (recipe/schema/). */
export const detectorDefaults = {
  ssdlite: { ...shared, ...multiBox, head: 'ssdlite', anchors: 'tensorflow', lowestLevelAnchors: 3, finestStride: 16 },
  retinanet: { ...shared, head: 'retinanet', neck: 'fpn', channels: 256, anchorScale: 4, boxLoss: 'l1' },
  fasterRcnn: {
    ...shared,
    head: 'fasterRcnn',
    neck: 'fpn',
    channels: 256,
    anchorScale: 8,
    boxLoss: 'smoothL1',
    proposals: 1000,
    sampledBoxes: 512,
    sampling: 'random',
    units: 1024,
  },
  yolov1: { ...shared, head: 'yolov1', size: [448, 448], boxesPerCell: 2, channels: 512, hidden: 0 },
  ssd: { ...shared, ...multiBox, head: 'ssd', classLoss: 'softmax', anchors: 'torchvision', size: [300, 300] },
} as const satisfies { [H in Head]: Omit<Extract<DetectionOptions, { head: H }>, 'backbone' | 'numClasses'> };
