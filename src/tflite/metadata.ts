import { Builder, type Offset } from 'flatbuffers';
import { zipSync } from 'fflate';
import { floats, int8, ints, offset, offsets, table, type Slot } from './flatbuffer.js';

/** TFLite's metadata: what a program must know of a model besides its graph, as a flatbuffer in the model, and files in a zip archive
 *  behind it (mediapipe/tasks/metadata/metadata_schema.fbs). */

export interface Metadata {
  readonly name: string;
  readonly description: string;
  readonly license?: string;
  readonly input: TensorMetadata;
  readonly outputs: readonly TensorMetadata[];
  /** Names of the outputs that belong together, one row for each object. */
  readonly group?: readonly string[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly description: string;
  readonly content?:
    | 'features'
    /** RGB. */
    | 'image'
    /** Top, left, bottom and right as shares of the image. */
    | 'boxes';
  /** The program feeds (x − mean) / std. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Smallest and largest value. */
  readonly range?: readonly [number, number];
  /** A text file behind the model with the names of the classes, one a line: of the values of the tensor, or of the places along
   *  its axis. */
  readonly labels?: { readonly file: string; readonly of: 'values' | 'axis' };
}

/** The buffer in the model by which programs find the metadata. */
export const METADATA_BUFFER = 'TFLITE_METADATA';
const IDENTIFIER = 'M001';
const [AXIS_LABELS, VALUE_LABELS] = [2, 3];
const CONTENT = { features: 1, image: 2, boxes: 3 } as const;
const [RGB, BOUNDARIES, NORMALIZATION] = [1, 1, 1];
/** Places of left, top, right and bottom in a box. */
const BOX = [1, 0, 3, 2];

// Field numbers from metadata_schema.fbs.

function contentTable(builder: Builder, content: keyof typeof CONTENT): Offset {
  const properties: Record<typeof content, () => Slot[]> = {
    features: () => [],
    image: () => [int8(0, RGB)],
    boxes: () => [offset(0, ints(builder, BOX)), int8(1, BOUNDARIES)],
  };
  const own = table(builder, 3, properties[content]());
  return table(builder, 3, [int8(0, CONTENT[content]), offset(1, own)]);
}

function normalizationTable(builder: Builder, { mean, std }: NonNullable<TensorMetadata['normalization']>): Offset {
  const [means, deviations] = [floats(builder, mean), floats(builder, std)];
  const options = table(builder, 2, [offset(0, means), offset(1, deviations)]);
  return offsets(builder, [table(builder, 2, [int8(0, NORMALIZATION), offset(1, options)])]);
}

function tensorTable(builder: Builder, one: TensorMetadata): Offset {
  const [name, description] = [builder.createString(one.name), builder.createString(one.description)];
  const slots: Slot[] = [offset(0, name), offset(1, description)];
  if (one.content) slots.push(offset(3, contentTable(builder, one.content)));
  if (one.normalization) slots.push(offset(4, normalizationTable(builder, one.normalization)));
  if (one.range) {
    const [most, least] = [floats(builder, [one.range[1]]), floats(builder, [one.range[0]])];
    slots.push(offset(5, table(builder, 2, [offset(0, most), offset(1, least)])));
  }
  if (one.labels) {
    const file = builder.createString(one.labels.file);
    const type = one.labels.of === 'values' ? VALUE_LABELS : AXIS_LABELS;
    slots.push(offset(6, offsets(builder, [table(builder, 5, [offset(0, file), int8(2, type)])])));
  }
  return table(builder, 7, slots);
}

/** The bytes of the metadata, for the buffer METADATA_BUFFER. */
export function encodeMetadata({ name, description, license, input, outputs, group }: Metadata): Uint8Array {
  const builder = new Builder();
  const inputs = offsets(builder, [tensorTable(builder, input)]);
  const all = offsets(
    builder,
    outputs.map((one) => tensorTable(builder, one)),
  );
  const groups: Slot[] = [];
  if (group) {
    const names = offsets(
      builder,
      group.map((one) => builder.createString(one)),
    );
    const title = builder.createString('detection_result');
    groups.push(offset(8, offsets(builder, [table(builder, 2, [offset(0, title), offset(1, names)])])));
  }
  const subgraph = offsets(builder, [table(builder, 10, [offset(2, inputs), offset(3, all), ...groups])]);
  const [title, text, parser] = [
    builder.createString(name),
    builder.createString(description),
    builder.createString('1.5.0'),
  ];
  const terms: Slot[] = license === undefined ? [] : [offset(5, builder.createString(license))];
  const root = table(builder, 8, [offset(0, title), offset(1, text), offset(3, subgraph), ...terms, offset(7, parser)]);
  builder.finish(root, IDENTIFIER);
  return builder.asUint8Array();
}

/** The earliest time of a zip archive, so that equal models are equal files. */
const NO_TIME = new Date(1980, 0, 1);

/** The bytes of a .tflite file with text files behind it. Programs read them from where they lie, uncompressed. */
export function withFiles(model: Uint8Array, files: Readonly<Record<string, string>>): Uint8Array {
  const entries = Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)] as const);
  const archive = zipSync(Object.fromEntries(entries), { level: 0, mtime: NO_TIME });
  const whole = new Uint8Array(model.length + archive.length);
  whole.set(model);
  whole.set(archive, model.length);
  countFromStart(new DataView(whole.buffer), model.length, entries.length);
  return whole;
}

/** Makes the places in a zip archive at the end of a file count from the start of the file: not every reader looks for the start of
 *  the archive. */
function countFromStart(file: DataView, start: number, entries: number): void {
  const END = { bytes: 22, directory: 16 };
  const ENTRY = { bytes: 46, name: 28, extra: 30, comment: 32, header: 42 };
  const shift = (place: number): number => {
    const moved = file.getUint32(place, true) + start;
    file.setUint32(place, moved, true);
    return moved;
  };
  let at = shift(file.byteLength - END.bytes + END.directory);
  for (let i = 0; i < entries; i++) {
    shift(at + ENTRY.header);
    const lengths = [ENTRY.name, ENTRY.extra, ENTRY.comment].map((field) => file.getUint16(at + field, true));
    at += lengths.reduce((sum, length) => sum + length, ENTRY.bytes);
  }
}
