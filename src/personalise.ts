/** Goes on training a classifier in a page, on images that a visitor labels: `tfjs-finetune/personalise`. The images and what is
 *  learned stay in the page. It computes with TensorFlow.js, which the caller brings. */
export { FinetuneError } from './errors.js';
export { createLearner, type Example, type Learner, type LearnerOptions } from './personalise/learner.js';
export type { LearnOptions } from './personalise/train.js';
export type { RuntimeImage } from './runtime/image.js';
export type { FoundClass } from './tasks/found.js';
