/** A step of a long call, for a progress display. The library itself prints nothing. */
export interface ProgressStep {
  readonly phase: 'setup' | 'weights' | 'data' | 'compile' | 'train' | 'evaluate' | 'predict' | 'report';
  readonly done: number;
  readonly total: number;
  /** Details: "epoch 3/24, loss 1.82". */
  readonly text?: string;
}

/** A line that should stay on the screen, such as the engine in use or the score of an epoch. */
export interface LogLine {
  readonly message: string;
}

export type ProgressEvent = ProgressStep | LogLine;
