/** An option that contradicts others, which the schema of single options cannot express. */
export interface Conflict {
  /** Dotted path of the option that the error points at. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}

/** An option that nothing reads in a recipe: its dotted path, the setting that makes it idle, and a setting with which
 *  it is read. */
export type Idle = readonly [path: string, when: string, instead: string];
