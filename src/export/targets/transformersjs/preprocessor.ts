import type { ModelDescription } from '../../../tasks/description/description.js';

/** Numbers of the interpolations, as in PIL. */
const RESAMPLING = { bilinear: 2, bicubic: 3 } as const;

/** The content of preprocessor_config.json: how a photo becomes the input. Pixels are rescaled to 0…1; the model normalises them. */
export function preprocessorOf({ size, images }: ModelDescription): Readonly<Record<string, unknown>> {
  const [height, width] = size;
  const { resize, cropFraction = 1, interpolation } = images;
  const crops = resize === 'crop';
  return {
    image_processor_type: 'ImageProcessor',
    do_resize: true,
    size: crops ? { shortest_edge: Math.round(height / cropFraction) } : { height, width },
    resample: RESAMPLING[interpolation],
    do_center_crop: crops,
    ...(crops && { crop_size: { height, width } }),
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: false,
  };
}
