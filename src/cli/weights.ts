import { stat } from 'node:fs/promises';
import { findInCatalog } from '../weights/catalog.js';
import { nameWeights, findNameMap } from '../weights/names.js';
import { countValues, formatShape, type RawTensor } from '../weights/decode/rawTensor.js';
import type { RawWeights } from '../weights/decode/raw.js';
import { readRawWeights } from '../weights/read.js';
import { recognise, type Recognised } from './recognise.js';
import { watched } from './watched.js';

export interface WeightsCommand {
  readonly json?: boolean;
}

/** What `--json` prints. */
interface Listing {
  readonly uri: string;
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly format: string;
  readonly recognised: Recognised;
  /** The catalog's entry without its categories; null if there is none. */
  readonly catalog: object | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly arrays: number;
  readonly values: number;
  readonly tensors: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly dtype: string;
    /** The name that our models use, if it differs; null for an array that is not a weight. */
    readonly as?: string | null;
  }[];
}

/** `finetune weights <uri>`: fetch a weights file and list what is inside. */
export async function weights(uri: string, { json = false }: WeightsCommand = {}): Promise<void> {
  const { source, raw } = await watched((hooks) => readRawWeights(uri, hooks));
  const ours = findNameMap(raw) ? ourNames(raw, source.file) : undefined;
  const tensors = [...raw.tensors].map(([name, { shape, dtype, data }]) => {
    const as = ours && (ours.get(data) ?? null);
    return { name, shape, dtype, ...(as !== undefined && as !== name && { as }) };
  });
  const listing: Listing = {
    uri: source.uri,
    file: source.file,
    bytes: (await stat(source.file)).size,
    sha256: source.sha256,
    format: raw.format,
    recognised: recognise(raw, source.file),
    catalog: describeCatalog(uri),
    metadata: raw.metadata,
    arrays: tensors.length,
    values: tensors.reduce((sum, { shape }) => sum + countValues(shape), 0),
    tensors,
  };
  console.log(json ? JSON.stringify(listing) : formatListing(listing));
}

/** The name that our models use for each array of values: renaming passes the arrays on, so they identify the
 *  tensors. */
function ourNames(raw: RawWeights, file: string): Map<RawTensor['data'], string> {
  return new Map([...nameWeights(raw, file).params].map(([name, { data }]) => [data, name]));
}

function describeCatalog(uri: string): object | null {
  const entry = findInCatalog(uri);
  if (!entry) return null;
  const { categories, ...rest } = entry;
  return { ...rest, categories: categories.length };
}

const grouped = (value: number): string => value.toLocaleString('en-US');
const MAX_METADATA = 100;

function formatListing(listing: Listing): string {
  const { recognised, catalog, metadata, tensors } = listing;
  const fits = recognised.backbones.join(', ') || 'no backbone completely';
  const classes = recognised.classes === undefined ? '' : `, ${recognised.classes} classes`;
  const head: [string, string][] = [
    ['file', listing.file],
    ['format', `${listing.format}, ${grouped(listing.bytes)} bytes`],
    ['sha256', listing.sha256],
    ['names', recognised.names ?? 'of no known family: they cannot be loaded into a model'],
    ['fits', fits + classes],
    ...(catalog ? catalogLines(listing.uri) : []),
    ...Object.entries(metadata).map(([key, text]): [string, string] => [key, text.slice(0, MAX_METADATA)]),
    ['total', `${grouped(listing.values)} values in ${listing.arrays} arrays`],
  ];
  const width = Math.max(...head.map(([label]) => label.length)) + 2;
  const columns = tensors.map(({ name, shape, dtype, as }) => [name, formatShape(shape), dtype, arrow(as)]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...columns.map((row) => row[column]!.length)));
  return [
    ...head.map(([label, text]) => `${label.padEnd(width)}${text}`),
    '',
    ...columns.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ').trimEnd()), // prettier-ignore
  ].join('\n');
}

function arrow(as: string | null | undefined): string {
  if (as === undefined) return '';
  return as === null ? 'set aside' : `→ ${as}`;
}

function catalogLines(uri: string): [string, string][] {
  const entry = findInCatalog(uri);
  if (!entry) return [];
  const { name, licence, published, preprocessing } = entry;
  const { size, mean, std, resize, interpolation } = preprocessing;
  return [
    ['catalog', `${name}, ${licence}`],
    ['published', `${published.metric} ${published.value} on ${published.dataset} (${published.source})`],
    ['input', `${size.join('×')}, ${resize}, ${interpolation}, minus ${mean.join('/')}, by ${std.join('/')}`],
  ];
}
