import { z } from 'zod';

/** `data.split`: how images of the training part are held out. */
export const split = z
  .strictObject({
    val: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.2)
      .describe('Share of the images for validation: they are scored after each epoch, and the best epoch is kept.')
      .meta({ example: 0.1, when: 'Lower it if you have thousands of images.' }),
    test: z
      .number()
      .min(0)
      .lt(1)
      .default(0)
      .describe(
        'Share of the images for the test part, which is scored once, at the end; 0 leaves `data.test` as it is.',
      )
      .meta({ example: 0.1, when: 'Set it if you can spare the images.' }),
    by: z
      .enum(['group', 'class', 'none'])
      .default('group')
      .describe(
        'What the division heeds. `group` spreads the classes evenly, and keeps near-duplicates in one part: images that look the same, frames of a video, and copies as Roboflow names them; it decodes every image once. `class` spreads the classes alone, and `none` draws images one by one.',
      )
      .meta({ when: 'Set `class` if there are so many images that comparing them takes too long.' }),
    seed: z
      .int()
      .min(0)
      .max(0xffffffff)
      .default(1)
      .describe('Seed of the division; the seed of the run does not change it.')
      .meta({ example: 2, when: 'Change it to see how much the score depends on the division.' }),
  })
  .nullish()
  .describe(
    'Divides the images of the training part into parts, in place of `val` and, if a share of it is asked for, `test`: `{}` holds out a fifth for validation. The same images give the same parts, and the run directory keeps them in split.json. Default: `null`, the parts are those of the data set.',
  )
  .meta({ example: { val: 0.2, test: 0.1 }, when: 'Set it if the data set has no validation part.' });
