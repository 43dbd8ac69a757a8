/** The part of picomatch that is used here; it has no types of its own. */
declare module 'picomatch' {
  interface Options {
    readonly nocase?: boolean;
  }
  interface Scan {
    /** The folder before the first part that has a wildcard. */
    readonly base: string;
    readonly glob: string;
    readonly isGlob: boolean;
  }
  interface Picomatch {
    (glob: string, options?: Options): (path: string) => boolean;
    scan(pattern: string, options?: Options): Scan;
  }
  const picomatch: Picomatch;
  export default picomatch;
}
