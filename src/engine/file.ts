import type { Shape } from '../graph/spec.js';
import type { Session } from './engine.js';

/** A float32 input or output of a file. */
export interface FilePort {
  readonly name: string;
  readonly shape: Shape;
}

/** A model that was read from a file, with one program, whatever name it is run by. */
export type FileSession = Pick<Session, 'run' | 'dispose'> & {
  /** Name and version of the engine. */
  readonly engine: string;
};

/** The inputs and outputs that a file must have. */
export interface FilePorts {
  readonly inputs: readonly FilePort[];
  readonly outputs: readonly FilePort[];
}
