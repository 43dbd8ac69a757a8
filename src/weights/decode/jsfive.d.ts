/** The part of https://github.com/usnistgov/jsfive that is used here; the package has no types of its own. */
declare module 'jsfive' {
  export class Group {
    protected constructor();
    readonly keys: readonly string[];
    readonly attrs: Readonly<Record<string, unknown>>;
    get(name: string): unknown;
  }
  export class File extends Group {
    constructor(bytes: ArrayBuffer, name: string);
  }
  export class Dataset {
    private constructor();
    readonly shape: readonly number[];
    readonly dtype: unknown;
    readonly value: ArrayLike<number | bigint>;
  }
}
