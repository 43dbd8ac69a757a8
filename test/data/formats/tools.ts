import { annotatorsTools } from './tools/annotators.js';
import { archivesTools } from './tools/archives.js';
import { benchmarksTools } from './tools/benchmarks.js';
import { cloudsTools } from './tools/clouds.js';
import { cocoTools } from './tools/coco.js';
import { exportsTools } from './tools/exports.js';
import type { Tool } from './tools/shared.js';
import { tablesTools } from './tools/tables.js';
import { yoloTools } from './tools/yolo.js';

/** Every program that writes boxes, by its name. */
export const tools: Readonly<Record<string, Tool>> = {
  ...yoloTools,
  ...cocoTools,
  ...annotatorsTools,
  ...tablesTools,
  ...archivesTools,
  ...cloudsTools,
  ...exportsTools,
  ...benchmarksTools,
};
