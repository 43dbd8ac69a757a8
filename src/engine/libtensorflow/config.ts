import { BinaryWriter } from '@bufbuild/protobuf/wire';

export interface SessionConfig {
  /** Threads of each op, and ops at a time. Default: as many as there are processors. */
  readonly threads?: number | undefined;
  /** Whether GPUs are used, with memory that grows by need; the default would take all of a GPU's memory at the start. */
  readonly gpu: boolean;
  /** Whether a program pauses within a step to exchange values with other workers. */
  readonly inParts?: boolean;
}

/** A ConfigProto. Field numbers from tensorflow/core/protobuf/config.proto. */
export function configProto({ threads, gpu, inParts = false }: SessionConfig): Uint8Array {
  const writer = new BinaryWriter();
  if (gpu)
    writer.uint32(tag(6)).bytes(flag(4)); // gpu_options { allow_growth }
  else writer.uint32(tag(1)).fork().uint32(tag(1)).string('GPU').uint32(varint(2)).int32(0).join(); // device_count
  if (threads !== undefined) {
    writer.uint32(varint(2)).int32(threads); // intra_op_parallelism_threads
    writer.uint32(varint(5)).int32(threads); // inter_op_parallelism_threads
    writer.uint32(varint(9)).bool(true); // use_per_session_threads: else the first session of a process decides for all
  }
  writer.uint32(varint(7)).bool(true); // allow_soft_placement: an op without a GPU kernel runs on the CPU
  // graph_options { place_pruned_graph }. TensorFlow prepares a call of a program in its first run. By default it prepares the
  // whole graph, all programs, for each; this prepares the nodes that the call needs (a fourth of the time). Runs in parts
  // do not work with it: TensorFlow does not find their placeholders any more.
  if (!inParts) writer.uint32(tag(10)).bytes(flag(6));
  return writer.finish();
}

/** A message with one field that is true. */
const flag = (field: number): Uint8Array => new BinaryWriter().uint32(varint(field)).bool(true).finish();
const varint = (field: number): number => field << 3;
const tag = (field: number): number => (field << 3) | 2;
