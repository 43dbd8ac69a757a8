import type { Kind } from '../../sample.js';
import { writeCoco } from './coco.js';
import { writeCreateMl } from './createMl.js';
import { writeHuggingFace, writeHuggingFaceLabels } from './huggingFace.js';
import { writeIcdar } from './icdar.js';
import { writeImageFolder } from './imageFolder.js';
import { writeLabelme } from './labelme.js';
import { writeLabelStudio, writeLabelStudioChoices } from './labelStudio.js';
import { writeBoxTable, writeLabelTable } from './table.js';
import { writeVia } from './via.js';
import { writeVoc } from './voc.js';
import type { Writer } from './writer.js';
import { writeYolo } from './yolo.js';

/** The layouts that can be written, by the name that `--to` gives them, for each kind of data. */
export const writers = {
  coco: { boxes: writeCoco, text: writeCoco },
  voc: { boxes: writeVoc, text: writeVoc },
  yolo: { boxes: writeYolo, text: writeYolo },
  icdar: { boxes: writeIcdar, text: writeIcdar },
  labelme: { boxes: writeLabelme, text: writeLabelme },
  createml: { boxes: writeCreateMl, text: writeCreateMl },
  labelstudio: { boxes: writeLabelStudio, text: writeLabelStudio, wholeImage: writeLabelStudioChoices },
  via: { boxes: writeVia, text: writeVia },
  huggingface: { boxes: writeHuggingFace, text: writeHuggingFace, wholeImage: writeHuggingFaceLabels },
  imageFolder: { wholeImage: writeImageFolder },
  csv: { boxes: writeBoxTable, text: writeBoxTable, wholeImage: writeLabelTable },
} as const satisfies Record<string, Partial<Record<Kind, Writer>>>;

export type WriterName = keyof typeof writers;
export const writerNames = Object.keys(writers) as WriterName[];
