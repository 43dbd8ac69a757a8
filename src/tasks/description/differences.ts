import { headOf } from '../detection/detectors.js';
import type { ModelDescription } from './description.js';

/** What a difference is about: the backbone and its conventions, the kind of head, the head's options, or the input. */
export type DifferenceKind = 'backbone' | 'head' | 'headOption' | 'input';

/** An entry of the description that a weights file and a model do not share. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Dotted path in the description, such as head.classLoss. */
  readonly path: string;
  /** The values as JSON. */
  readonly file: string;
  readonly model: string;
}

type Entries = Readonly<Record<string, unknown>>;

/** Lists what differs between the model that a file describes and another one, apart from the classes, which are
 *  matched by name, and from thresholds, which the user may choose. Options that only training reads are left out. */
export function descriptionDifferences(file: ModelDescription, model: ModelDescription): Difference[] {
  const [head, otherHead] = [headEntries(file), headEntries(model)];
  const sameHead = head.kind === otherHead.kind;
  return [
    ...compare('backbone', backboneEntries(file), backboneEntries(model)),
    ...(sameHead
      ? compare('headOption', head.options, otherHead.options)
      : [{ kind: 'head' as const, path: 'head', file: head.kind, model: otherHead.kind }]),
    ...compare('input', inputEntries(file), inputEntries(model)),
  ];
}

function backboneEntries({ backbone, mean, std, padding, epsilon }: ModelDescription): Entries {
  // The name of a table is for people.
  const network = typeof backbone === 'string' ? backbone : { ...backbone, name: undefined };
  return { backbone: network, padding, epsilon, mean, std };
}

/** The kind of head in words, and its options as far as its outputs depend on them. */
function headEntries(model: ModelDescription): { readonly kind: string; readonly options: Entries } {
  if (model.task !== 'detection') {
    return { kind: model.task === 'text' ? `${model.head} (text)` : 'a classifier', options: {} };
  }
  const { head: name, ...options } = model.head;
  const { trainingOptions = [] } = headOf(name);
  const read = Object.entries(options as Entries).filter(([option]) => !trainingOptions.includes(option));
  return { kind: name, options: Object.fromEntries(read.map(([option, value]) => [`head.${option}`, value])) };
}

function inputEntries(model: ModelDescription): Entries {
  const { size, sizes, images } = model;
  const read = Object.entries<unknown>({ ...images }).map(([option, value]) => [`images.${option}`, value]);
  const evaluateSize = model.task === 'text' ? model.evaluateSize : undefined;
  return { size, sizes, evaluateSize, ...(Object.fromEntries(read) as Entries) };
}

function compare(kind: DifferenceKind, file: Entries, model: Entries): Difference[] {
  const paths = [...new Set([...Object.keys(file), ...Object.keys(model)])];
  return paths.flatMap((path) => {
    const [one, other] = [canonical(file[path]), canonical(model[path])];
    return one === other ? [] : [{ kind, path, file: shorten(one), model: shorten(other) }];
  });
}

/** The value as JSON with sorted keys. */
const canonical = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value, sortKeys));

const sortKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

const LONGEST = 60;
const shorten = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);
