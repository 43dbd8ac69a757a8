/** An option that contradicts others, which the schema of single options cannot express. */
export interface Conflict {
  /** The option to point at, dotted. */
  readonly path: string;
  readonly message: string;
  readonly fix: string;
}
