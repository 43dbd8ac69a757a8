import { FinetuneError } from '../../errors.js';
import type { Appending } from '../../files/appendTo.js';
import { safeName } from '../../safePath.js';
import type { Entry } from '../entry.js';
import type { OpenedModel } from '../openModel.js';
import type { Result } from '../predictFiles.js';
import { checkImage, sourceOf } from '../readImage.js';
import { cutCrops } from './crops.js';
import { csvHead, csvLines } from './csv.js';
import { drawPrediction, type PictureFormat } from './drawPrediction.js';
import { loadLabelFonts } from './labelFonts.js';
import { openOutFolder } from './outFolder.js';
import { CROPS, CSV, planNames } from './planNames.js';

export interface WriterOptions {
  readonly csv: boolean;
  readonly crops: boolean;
  readonly overwrite: boolean;
}

/** Writes what was found in images into a folder. */
export interface ResultWriter {
  /** Writes the drawing and the crops of the image with this place in the list; several images may be written at once.
   *  An image that can no longer be read gives an entry with the error. Throws E_PREDICT_OUT, E_DISK_…. */
  draw(result: Result, index: number): Promise<Entry>;
  /** Adds an image to the table, one at a time. Throws E_DISK_…. */
  list(entry: Entry): Promise<void>;
  /** Returns whether anything was written; if not, it leaves no folder. */
  close(): Promise<boolean>;
}

/** Opens the folder for the results of these files. Throws E_PREDICT_OUT and E_DISK_…: see openOutFolder. */
export async function openResultWriter(
  path: string,
  files: readonly string[],
  { task, description }: Pick<OpenedModel, 'task' | 'description'>,
  { csv, crops, overwrite }: WriterOptions,
): Promise<ResultWriter> {
  const names = planNames(files);
  const planned = [...names.map(({ picture }) => picture), ...(csv ? [CSV] : [])];
  const folder = await openOutFolder(path, { overwrite, inputs: files, planned });
  let table: Appending | undefined;
  /** The table is made for the first image that could be read. */
  const openTable = async (): Promise<Appending> => {
    const opened = await folder.append(CSV);
    opened.write(csvHead(task));
    return opened;
  };
  const fonts = await loadLabelFonts();
  const places = new Map(description.categories.map(({ id }, index) => [id, index]));
  const classIndexOf = (categoryId: number): number => places.get(categoryId) ?? 0;

  return {
    async draw({ entry, image }, index) {
      if (entry.error || image === undefined) return entry;
      const { picture, stem } = names[index]!;
      const format: PictureFormat = /png$/i.test(picture) ? 'png' : 'jpg';
      try {
        const source = await sourceOf(checkImage(image));
        await folder.write(picture, await drawPrediction(source, entry, { classIndexOf, fonts, format }));
        if (crops)
          for await (const { category, number, bytes } of cutCrops(source, entry, format))
            await folder.write(`${CROPS}/${safeName(category)}/${stem}-${number}.${format}`, bytes);
      } catch (error) {
        if (error instanceof FinetuneError && error.code.startsWith('E_IMAGE_')) return { file: entry.file, error };
        throw error;
      }
      return entry;
    },
    async list(entry) {
      if (!csv || entry.error) return;
      table ??= await openTable();
      table.write(csvLines(entry));
    },
    async close() {
      table?.close();
      return folder.close();
    },
  };
}
