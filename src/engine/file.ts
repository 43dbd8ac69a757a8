import { inputsOf, type Program } from '../graph/program.js';
import type { DType, Shape } from '../graph/spec.js';
import type { Session } from './engine.js';

/** An input or output of a model that was read from files. */
export interface FilePort {
  readonly name: string;
  readonly shape: Shape;
  /** Default: float32. */
  readonly dtype?: DType;
}

/** A model that was read from files, with one program, whatever name it is run by. */
export type FileSession = Pick<Session, 'run' | 'dispose'> & {
  /** Name and version of the engine. */
  readonly engine: string;
};

/** The inputs and outputs that a model must have. */
export interface FilePorts {
  readonly inputs: readonly FilePort[];
  readonly outputs: readonly FilePort[];
}

/** The ports of a program. */
export const portsOf = (program: Program): FilePorts => ({
  inputs: inputsOf(program),
  outputs: Object.entries(program.outputs).map(([name, { shape, dtype }]) => ({ name, shape, dtype })),
});

/** The same with the type of each. */
export const typed = (ports: readonly FilePort[]): readonly Required<FilePort>[] =>
  ports.map((port) => ({ dtype: 'float32', ...port }));
