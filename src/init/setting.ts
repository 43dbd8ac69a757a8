/** A value of a recipe and the reason for it. */
export interface Setting {
  /** Dotted path: train.epochs. */
  readonly path: string;
  readonly value: unknown;
  /** A sentence or less, for the comment behind the line. */
  readonly why?: string | undefined;
}

export const setting = (path: string, value: unknown, why?: string): Setting => ({ path, value, why });
