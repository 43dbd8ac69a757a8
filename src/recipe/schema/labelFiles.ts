/** `data` for the layouts of boxes and classes that find their parts by the names of folders and files. */
import { z } from 'zod';
import { root } from './images.js';

const place = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

const partOf = (which: string, example: string) =>
  place.optional().meta({
    description: `${which}: a folder or a file of \`data.root\`, or a list of them. Default: what the names of folders and files say, or for YOLO \`data.yaml\`.`,
    expects: 'text, or a list of text',
    example,
    when: 'Set it if the folder has another name.',
  });

const test = place.nullish().meta({
  description:
    'The test part: it is scored once, at the end, and nothing is chosen by it, so that its score is unbiased. Default: `null`, the validation part is scored again.',
  expects: 'text, or a list of text',
  example: 'test',
  when: 'Set it if you can spare the images.',
});

/** The options that are the same for all these layouts. */
export const labelFiles = {
  root,
  train: partOf('The training part', 'train'),
  val: partOf('The validation part, which is scored after each epoch, and the best epoch is kept', 'valid'),
  test,
  images: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of `data.root` to which the names of the images are relative. Default: the folder of the labels, or another usual one.',
    )
    .meta({ example: 'photos', when: 'Set it if images of the same name stand in several folders.' }),
  names: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of `data.root` that names the classes, for YOLO: data.yaml, obj.data or a list of names. Default: the one in the folder.',
    )
    .meta({ example: 'classes.txt', when: 'Set it if there are several.' }),
};
