/** What a long call is doing, for whoever shows it; nothing here prints. */
export interface ProgressStep {
  readonly phase: 'weights' | 'data' | 'compile' | 'train' | 'evaluate' | 'report';
  readonly done: number;
  readonly total: number;
  /** A few words on where it stands: "epoch 3/24, loss 1.82". */
  readonly text?: string;
}

/** A line worth keeping on the screen: which engine runs, an epoch's score. */
export interface LogLine {
  readonly message: string;
}

export type ProgressEvent = ProgressStep | LogLine;
