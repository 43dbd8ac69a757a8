import { didYouMean } from '../didYouMean.js';
import { FinetuneError, type Problem } from '../errors.js';
import type { Param, Params } from '../graph/params.js';
import type { ParamKind } from '../graph/spec.js';
import { findColumns } from '../categories/columns.js';
import { findContradictions, withEpsilon, type MeaningOptions } from './meaning.js';
import { adaptInput, describeInput } from './inputChannels.js';
import { fromTorch, overlayKnown, pickColumns, torchShape } from './layout.js';
import { matches } from './patterns.js';
import { formatShape } from './decode/rawTensor.js';
import { readWeights, type WeightsFile } from './read.js';
import type { SourceOptions } from './sources/sourceOptions.js';

/** A parameter of the model, in our layout. */
export interface Wanted {
  readonly name: string;
  readonly shape: readonly number[];
  readonly kind: ParamKind;
}

/** `categories`: names of the columns of the model's class predictor, for which columns of the file are picked by name:
 *  the model's categories in order, for a softmax after BACKGROUND (categories/columns.ts). */
export interface LoadOptions extends SourceOptions, MeaningOptions {
  /** Patterns (`neck.*`) of parameters that the file need not have; they keep their initial values. */
  readonly allowMissing?: readonly string[];
  /** Patterns of arrays in the file that the model need not have. */
  readonly allowUnused?: readonly string[];
  /** Patterns of parameters with a column for each anchor and category. Classifiers are recognised besides. */
  readonly perCategory?: readonly string[];
}

export interface WeightsReport {
  readonly uri: string;
  readonly sha256: string;
  /** Parameters that were loaded, completely or for some categories. */
  readonly loaded: readonly string[];
  /** One sentence for each layer that was adapted: columns picked by category, other input channels; and one for each
   *  way in which the model differs from the one that the file describes. */
  readonly adapted: readonly string[];
  /** Parameters that keep their initial values. */
  readonly missing: readonly string[];
  /** Weights of the file that the model did not use. */
  readonly unused: readonly string[];
  /** Arrays of the file that are not weights (counters, graph constants). */
  readonly setAside: readonly string[];
}

export interface LoadedWeights {
  /** Parameters that are complete, in the order in which the model has them. */
  readonly params: Params;
  /** Parameters for which the file has only some categories: `columns[k]` is −1 where category k keeps its initial
   *  values. */
  readonly partial: ReadonlyMap<string, { readonly param: Param; readonly columns: readonly number[] }>;
  /** BatchNorms with folded statistics among the loaded ones. */
  readonly folded: readonly string[];
  readonly report: WeightsReport;
}

const PER_CATEGORY = [
  'head.class.*.predict.weight',
  'head.class.*.predict.bias',
  'head.class.predict.*',
  'head.box.class.*',
  'head.box.offsets.*',
];

/** Names of a classifier's last layer, ours and those of publishers. A layer with any of these names is loaded into one
 *  with any other. */
const CLASSIFIERS = ['classifier', 'fc', 'head.fc', 'head.classifier', 'classifier.1', 'last_linear'];

/** Loads a model's weights strictly by name. A file with a backbone alone (timm's names without `backbone.`) is
 *  recognised. Throws E_WEIGHTS_MISSING, E_WEIGHTS_UNUSED, E_WEIGHTS_SHAPE, E_WEIGHTS_MODEL, all at once, and what
 *  `readWeights` throws. */
export async function loadWeights(
  uri: string,
  wanted: readonly Wanted[],
  options: LoadOptions,
): Promise<LoadedWeights> {
  return matchWeights(await readWeights(uri, options), wanted, options);
}

/** Matches the weights of a file that has been read. Throws as `loadWeights` does. */
export function matchWeights(read: WeightsFile, wanted: readonly Wanted[], options: LoadOptions): LoadedWeights {
  const { file, epsilon } = withEpsilon(read, options.conventions?.epsilon);
  const prefix = findPrefix(file, wanted);
  const inFile = (name: string): string => findName(file, name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const firstConv = wanted.find(({ kind }) => kind === 'conv');
  const params: Params = new Map();
  const partial = new Map<string, { param: Param; columns: readonly number[] }>();
  const adapted = new Map<string, string>(epsilon ? [['', epsilon]] : []); // layer → sentence
  const loaded: string[] = [];
  const absent: string[] = []; // parameters that the file lacks
  const problems: Problem[] = [];

  for (const one of wanted) {
    const { name } = one;
    const found = file.params.get(inFile(name));
    if (!found) {
      absent.push(name);
      continue;
    }
    const fitted = fit(file, inFile(name), found, one, options, one === firstConv);
    if ('code' in fitted) {
      problems.push(fitted);
      continue;
    }
    if ('left' in fitted) {
      adapted.set(layerOf(name), fitted.left);
      continue;
    }
    const { param, columns } = fitted;
    if (fitted.input) adapted.set(layerOf(name), fitted.input);
    const known = columns?.filter((column) => column >= 0).length;
    if (columns) {
      const spare = file.categories ? '' : `; the file's first column belongs to no class`;
      adapted.set(layerOf(name), describeColumns(layerOf(name), columns, options.categories) + spare);
    }
    if (known === undefined || known === columns?.length) params.set(name, param);
    else if (columns && known > 0) partial.set(name, { param, columns });
    if (known !== 0) loaded.push(name);
  }

  const used = new Set(wanted.map(({ name }) => inFile(name)));
  const unused = [...file.params.keys()].filter((name) => !used.has(name));
  problems.push(...findStrays(file, prefix, absent, unused, options));
  if (!problems.some(({ code }) => code === 'E_WEIGHTS_SHAPE')) {
    const unset = wanted.map(({ name }) => name).filter((name) => !params.has(name) && !absent.includes(name));
    problems.push(...findContradictions(file, unset, options));
  }
  if (problems.length > 0) throw new FinetuneError(problems);

  const { uri, sha256 } = file.source;
  const missing = wanted.map(({ name }) => name).filter((name) => !params.has(name) && !partial.has(name));
  const report = { uri, sha256, loaded, adapted: [...adapted.values()], missing, unused, setAside: file.setAside };
  const folded = file.folded.map((norm) => prefix + norm).filter((norm) => params.has(`${norm}.running_var`));
  return { params, partial, folded, report };
}

/** Fits one array of the file to a parameter of the model. Returns the array in our layout and which of its columns the
 *  model's categories took (absent: all), or why the parameter keeps its initial values. */
function fit(
  file: WeightsFile,
  nameInFile: string,
  found: Param,
  { name, shape, kind }: Wanted,
  { categories, perCategory = PER_CATEGORY }: LoadOptions,
  isFirstConv: boolean,
): { param: Param; columns?: readonly number[]; input?: string } | { left: string } | Problem {
  const isClassifier = CLASSIFIERS.includes(layerOf(nameInFile));
  const classes = isClassifier || matches(perCategory, name);
  const names = classes ? (file.categories ?? withSpareColumn(file, found, shape, categories)) : undefined;
  const known = names?.length ?? 0;
  const columns = names && findColumns(categories, names);
  const ours = columns ? resizeLast(shape, known / columns.length) : shape;
  const expected = file.layout === 'torch' ? torchShape(kind, ours) : ours;
  const grouped = !columns || shape.at(-1)! % columns.length === 0;
  if (!grouped || formatShape(found.shape) !== formatShape(expected)) {
    const theirs = file.layout === 'torch' ? fromTorchIfRankFits(kind, found, shape) : found;
    if (isFirstConv && theirs && differsAt(theirs.shape, shape, 2) && theirs.shape[2] === 3) {
      return { param: adaptInput(theirs, shape[2]!), input: describeInput(layerOf(name), shape[2]!) };
    }
    if (isClassifier && !file.categories && theirs && differsAt(theirs.shape, shape, shape.length - 1)) {
      const [has, wants] = [theirs.shape.at(-1)!, shape.at(-1)!];
      return { left: `${layerOf(name)}: ${has} classes without names, ${wants} wanted; it keeps its initial values` };
    }
    const message = `"${nameInFile}" is ${formatShape(found.shape)}, the model wants ${formatShape(expected)}`;
    const fix = classes ? explainCategories(file.categories, categories) : undefined;
    return { code: 'E_WEIGHTS_SHAPE', message, where: { file: file.source.file }, ...(fix && { fix }) };
  }
  const param = file.layout === 'torch' ? fromTorch(kind, found) : found;
  if (!columns || isIdentity(columns, known)) return { param };
  return { param: pickColumns(param, known, columns), columns }; // anchor-major: a group of columns per anchor
}

/** The model's categories after a nameless column, if the predictor of the file has this one column more for them. */
function withSpareColumn(
  { spareColumn }: WeightsFile,
  found: Param,
  shape: readonly number[],
  categories: readonly string[],
): readonly string[] | undefined {
  const perColumn = shape.at(-1)! / categories.length;
  return spareColumn && found.shape[0] === shape.at(-1)! + perColumn ? ['', ...categories] : undefined;
}

/** The file's array in our layout, if it has as many axes as ours. */
const fromTorchIfRankFits = (kind: ParamKind, found: Param, shape: readonly number[]): Param | undefined =>
  found.shape.length === shape.length ? fromTorch(kind, found) : undefined;

/** Whether two shapes differ in this axis and in no other. */
const differsAt = (a: readonly number[], b: readonly number[], axis: number): boolean =>
  a.length === b.length && a.every((size, i) => (size === b[i]) !== (i === axis));

/** Returns a problem for each parameter or array that only one side has and that no pattern allows. */
function findStrays(
  file: WeightsFile,
  prefix: string,
  absent: readonly string[],
  unused: readonly string[],
  { allowMissing = [], allowUnused = [] }: LoadOptions,
): Problem[] {
  const where = { file: file.source.file };
  const problem = (code: Problem['code'], message: string, fix: string | undefined): Problem => ({
    code,
    message,
    where,
    ...(fix && { fix }),
  });
  const renamed = unused.map((name) => prefix + name);
  return [
    ...absent
      .filter((name) => !matches(allowMissing, name))
      .map((name) => problem('E_WEIGHTS_MISSING', `the file lacks "${name}"`, didYouMean(name, renamed, 3))),
    ...unused
      .filter((name) => !matches(allowUnused, name))
      .map((name) => problem('E_WEIGHTS_UNUSED', `the model has no "${name}"`, didYouMean(prefix + name, absent, 3))),
  ];
}

/** Returns the initial parameters, overwritten by what was loaded. Nothing is changed in place. */
export function applyWeights(initial: Params, { params, partial }: LoadedWeights): Params {
  const result: Params = new Map();
  for (const [name, param] of initial) {
    const part = partial.get(name);
    result.set(name, part ? overlayKnown(param, part.param, part.columns) : (params.get(name) ?? param));
  }
  return result;
}

/** Returns `backbone.` if the file has a backbone alone, otherwise an empty prefix. */
function findPrefix(file: WeightsFile, wanted: readonly Wanted[]): string {
  const prefix = 'backbone.';
  const alone = ![...file.params.keys()].some((name) => name.startsWith(prefix));
  const fits = wanted.some(({ name }) => name.startsWith(prefix) && file.params.has(name.slice(prefix.length)));
  return alone && fits ? prefix : '';
}

/** Returns the name itself, or for a classifier that of the file's classifier. */
function findName({ params }: WeightsFile, name: string): string {
  if (params.has(name) || !CLASSIFIERS.includes(layerOf(name))) return name;
  const part = name.slice(name.lastIndexOf('.'));
  return CLASSIFIERS.map((layer) => layer + part).find((other) => params.has(other)) ?? name;
}

const resizeLast = (shape: readonly number[], factor: number): number[] => [
  ...shape.slice(0, -1),
  Math.round(shape.at(-1)! * factor),
];

function explainCategories(known: readonly string[] | undefined, wanted: readonly string[]): string {
  return known
    ? `the file says it has ${known.length} categories, the model has ${wanted.length}: do the anchors differ?`
    : 'the file does not name its categories, so its class predictor cannot be adapted: list it in model.allowUnused and model.allowMissing';
}

const layerOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));

const isIdentity = (columns: readonly number[], known: number): boolean =>
  columns.length === known && columns.every((column, i) => column === i);

function describeColumns(layer: string, columns: readonly number[], categories: readonly string[]): string {
  const unknown = categories.filter((_, i) => columns[i]! < 0);
  const head = `${layer}: ${categories.length - unknown.length} of ${categories.length} categories known`;
  return unknown.length > 0 ? `${head}; these keep their initial values: ${unknown.join(', ')}` : head;
}
