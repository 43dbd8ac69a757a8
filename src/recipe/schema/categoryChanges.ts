/** `data.categories` as changes: other names for some categories, and categories that are left out. */
import { z } from 'zod';
import { names } from '../../optionValues.js';

export const categoryChanges = z.strictObject({
  map: z
    .record(z.string().min(1), z.string().min(1))
    .optional()
    .describe('New names by old ones. Two categories that get the same name become one.')
    .meta({
      expects: 'a map from old names to new ones',
      example: { car: 'vehicle', van: 'vehicle' },
      when: 'Set it to rename or join categories.',
    }),
  drop: names
    .min(1)
    .optional()
    .describe('Names of categories that are left out; their objects or images are counted.')
    .meta({ example: ['other'], when: 'Set it to leave out few of many categories.' }),
});
