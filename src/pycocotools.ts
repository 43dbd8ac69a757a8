/** pycocotools for JavaScript, as `tfjs-finetune/pycocotools`. */
export * from 'pycocotools-js';
