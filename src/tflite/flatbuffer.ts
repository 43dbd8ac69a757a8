import type { Builder, Offset } from 'flatbuffers';

/** Parts of flatbuffers. What a table refers to is written before it. */

/** Kernels read constants where they lie in the file. */
const ALIGNMENT = 16;

export type Slot = (builder: Builder) => void;
/** Writes a table; each slot writes one field. */
export function table(builder: Builder, size: number, slots: readonly Slot[]): Offset {
  builder.startObject(size);
  for (const slot of slots) slot(builder);
  return builder.endObject();
}
export const offset =
  (slot: number, value: Offset): Slot =>
  (builder) => {
    builder.addFieldOffset(slot, value, 0);
  };
export const int32 =
  (slot: number, value: number): Slot =>
  (builder) => {
    builder.addFieldInt32(slot, value, 0);
  };
export const int8 =
  (slot: number, value: number): Slot =>
  (builder) => {
    builder.addFieldInt8(slot, value, 0);
  };

export function offsets(builder: Builder, values: readonly Offset[]): Offset {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addOffset(value);
  return builder.endVector();
}
export function ints(builder: Builder, values: readonly number[]): Offset {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addInt32(value);
  return builder.endVector();
}
export function bytes(builder: Builder, values: Uint8Array): Offset {
  builder.prep(ALIGNMENT, values.length);
  return builder.createByteVector(values);
}

export function floats(builder: Builder, values: readonly number[]): Offset {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addFloat32(value);
  return builder.endVector();
}
