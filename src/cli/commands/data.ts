import type { CAC } from 'cac';
import type { AnchorsCommand } from '../anchors.js';
import type { CheckCommand } from '../check.js';
import type { ScoreCommand } from '../scored.js';
import { NegativeResult, UsageError, wholeNumber } from '../usage.js';
import { FOLDER_FLAGS, folderOptions } from './init.js';
import { SET } from './shared.js';

export function defineScore(program: CAC): void {
  program
    .command('score <metric>', 'score the results of any program: coco, voc or icdar')
    .usage('score coco|voc|icdar --gt PATH --dt PATH [options]')
    .option('--gt <path>', 'ground truth: COCO json, VOC folder, ICDAR zip or folder', { type: [String] })
    .option('--dt <path>', 'results: json, comp4 folder (voc), zip or folder (icdar)', { type: [String] })
    .option('--iou-type <kind>', 'coco: bbox, segm or keypoints (default: bbox)', { type: [String] })
    .option('--max-dets <count>', 'coco: detections of an image and category that count (default: 100)', {
      type: [String],
    })
    .option('--split <name>', 'voc: name of a list in ImageSets/Main', { type: [String] })
    .option('--year <year>', 'voc: 2007 (11 recalls) or 2012 (area) (default: 2007)', { type: [String] })
    .option('--protocol <name>', 'icdar: iou (2015) or deteval (2013)', { type: [String] })
    .option('--gt-layout <name>', 'icdar: layout of the ground truth, such as icdar2015 (default: auto)', {
      type: [String],
    })
    .option('--dt-layout <name>', 'icdar: rectangles, quads or polygons (default: auto)', { type: [String] })
    .option('--report <dir>', 'folder for a report with curves, classes and images', { type: [String] })
    .option('--bootstrap <samples>', 'number of resamplings for a 95 % interval over images, such as 1000', {
      type: [String],
    })
    .option('--json', 'print the score as one line of JSON')
    .action(async (metric: string, options: Readonly<Record<string, unknown>>) => {
      const { score } = await import('../score.js');
      await score(metric, lastOfEach(options));
    });
}

/** Options that are read as lists, so that cac leaves their text alone ("007"): the last value counts. */
const lastOfEach = (options: Readonly<Record<string, unknown>>): ScoreCommand =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value) ? value.at(-1) : value,
    ]),
  );

interface SynthFlags {
  readonly images: unknown;
  readonly side: unknown;
  readonly seed: unknown;
  readonly json?: boolean;
  readonly out: readonly string[];
  readonly photos?: readonly string[];
}

export function defineSynth(program: CAC): void {
  program
    .command('synth', 'draw images with text, their character boxes, and a page to look at them')
    .option('--out <dir>', 'folder for the images', { type: [String], default: ['synth'] })
    .option('--images <count>', 'number of images', { default: 24 })
    .option('--side <pixels>', 'side of the square images, in pixels', { default: 768 })
    .option('--seed <number>', 'seed of the drawing', { default: 1 })
    .option('--photos <dir>', 'folder of photos without text to write on (default: drawn backdrops)', {
      type: [String],
    })
    .option('--json', 'print the counts as one line of JSON before the page')
    .action(async ({ images, side, seed, json = false, ...paths }: SynthFlags) => {
      const counts = {
        images: wholeNumber('--images', images, 1),
        side: wholeNumber('--side', side, 64),
        seed: wholeNumber('--seed', seed, 0),
      };
      const { synth } = await import('../synth.js');
      await synth({ ...counts, json, out: paths.out.at(-1)!, photos: paths.photos?.at(-1) });
    });
}

interface CheckFlags extends Omit<CheckCommand, 'out'> {
  readonly out?: readonly string[];
  readonly suspects?: readonly string[];
  readonly next?: readonly string[];
  readonly fix?: readonly string[];
}

export function defineCheck(program: CAC): void {
  const command = program
    .command(
      'check <recipe.yaml>',
      'check all of the data of a recipe or a folder before training; exit code 1 if it cannot be trained on',
    )
    .option('--augment', 'write a page of images as the model sees them, with their boxes')
    .option('--fix <dir>', 'write a copy in a new folder in which what is certain is put right; list every change', {
      type: [String],
    })
    .option('--suspects <run>', 'compare the labels with a trained model, and list those that it contradicts', {
      type: [String],
    })
    .option('--next <run>', 'rank the unlabelled photos of a folder by what labelling them would teach this model', {
      type: [String],
    })
    .option('--out <file>', "file of the page (default: named after the recipe, in the recipe's out)", {
      type: [String],
    })
    .option(...SET)
    .option('--json', 'print the findings as one line of JSON');
  for (const [flag, description] of FOLDER_FLAGS) command.option(flag, `of a folder: ${description}`);
  command.action(async (recipe: string, { out, task, layout, suspects, next, fix, ...options }: CheckFlags) => {
    const asked = folderOptions({ task, layout });
    const [model, teacher] = [suspects?.at(-1), next?.at(-1)];
    const copy = fix?.at(-1);
    if ([model, teacher, copy].filter((flag) => flag !== undefined).length > 1)
      throw new UsageError('--fix, --next and --suspects do different things: give one of them');
    if (copy !== undefined) {
      const { fix: repair } = await import('../fix.js');
      await repair(recipe, { out: copy, ...(options.json && { json: true }) });
      return;
    }
    if (teacher !== undefined) {
      const { next: rank } = await import('../next.js');
      await rank(recipe, { ...options, model: teacher });
      return;
    }
    if (model !== undefined) {
      if (options.augment) throw new UsageError('--augment and --suspects write different pages: give one of them');
      const { suspects: find } = await import('../suspects.js');
      await find(recipe, { ...options, ...asked, model, out: out?.at(-1) });
      return;
    }
    const { check } = await import('../check.js');
    if (!(await check(recipe, { ...options, ...asked, out: out?.at(-1) }))) throw new NegativeResult();
  });
}

interface ConvertFlags {
  readonly to?: readonly string[];
  readonly out?: readonly string[];
  readonly images: readonly string[];
  readonly map?: readonly string[];
  readonly drop?: readonly string[];
  readonly skipBroken?: boolean;
  readonly json?: boolean;
}

const WRITTEN =
  'coco, voc, yolo, icdar, labelme, createml, labelstudio, via, huggingface, csv, or imageFolder for classes of images';

export function defineConvert(program: CAC): void {
  program
    .command('convert <folder or recipe>', 'write a data set in another layout, and say what is lost')
    .usage('convert <folder or recipe> --to LAYOUT --out DIR [options]')
    .option('--to <layout>', `layout to write: ${WRITTEN}`, { type: [String] })
    .option('--out <dir>', 'new folder for the data set', { type: [String] })
    .option('--images <how>', 'copy or link the image files, or none', { type: [String], default: ['copy'] })
    .option('--map <old=new>', 'new name of a category; may be given several times', { type: [String] })
    .option('--drop <name>', 'category to leave out; may be given several times', { type: [String] })
    .option('--skip-broken', 'leave out wrong boxes and broken images, and count them')
    .option('--json', 'print the counts as one line of JSON before the folder')
    .action(
      async (
        source: string,
        { to, out, images, map = [], drop = [], skipBroken = false, json = false }: ConvertFlags,
      ) => {
        const [layout, folder] = [to?.at(-1), out?.at(-1)];
        if (layout === undefined || folder === undefined) throw new UsageError('convert needs --to and --out');
        const { convert } = await import('../convert.js');
        await convert(source, { to: layout, out: folder, images: images.at(-1)!, map, drop, skipBroken, json });
      },
    );
}

export function defineAnchors(program: CAC): void {
  program
    .command('anchors <recipe.yaml>', 'fit anchors to the training boxes and print them as a block for the recipe')
    .option('--n <counts>', 'most anchors of a level: 6 for all, or one number for each, finest first: 3,6,6,6,6,6', {
      type: [String],
    })
    .option(...SET)
    .option('--json', 'print anchors and recall ceilings as one line of JSON')
    .action(async (recipe: string, { n, ...options }: Omit<AnchorsCommand, 'n'> & { n?: readonly string[] }) => {
      const counts = n?.at(-1)?.split(',').map(Number);
      if (counts?.some((count) => !(Number.isInteger(count) && count >= 0)) || counts?.every((count) => count === 0))
        throw new UsageError(`--n takes whole numbers; got "${String(n!.at(-1))}"`);
      const { anchors } = await import('../anchors.js');
      await anchors(recipe, { ...options, n: counts });
    });
}
