import { cocoSsd } from './cocoSsd/cocoSsd.js';
import { frigate } from './frigate/frigate.js';
import { mediapipe } from './mediapipe/mediapipe.js';
import type { Target } from './target.js';
import { opencv, openvino } from './decoded/decoded.js';
import { transformersjs } from './transformersjs/transformersjs.js';
import { ultralytics } from './ultralytics/ultralytics.js';

/** Every application. To add one, add its folder to targets/, and its name here, in names.ts and in docs/export.md. */
export const targets: readonly Target[] = [cocoSsd, frigate, mediapipe, opencv, openvino, transformersjs, ultralytics];
