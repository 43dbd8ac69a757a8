/** A line of ImageSets/Main. */
export interface VocListEntry {
  readonly stem: string;
  /** Counted from 1. */
  readonly line: number;
}

const IMAGE_EXTENSION = /\.(jpe?g|png)$/i;

/** The stems in a list of ImageSets/Main. Of a per-class list ("000012 -1") all images are used: those without the
 *  class are negatives. A stem may contain spaces, and some tools write a file name or a path instead of a stem;
 *  `isStem` tells which stems exist. */
export function readVocList(text: string, isStem: (stem: string) => boolean): VocListEntry[] {
  return text.split('\n').flatMap((row, index) => {
    const whole = row.trim(); // removes the byte order mark, too
    return whole === '' ? [] : [{ stem: stemOf(whole, isStem), line: index + 1 }];
  });
}

function stemOf(whole: string, isStem: (stem: string) => boolean): string {
  const labelled = /^(.*\S)\s+(?:-1|0|1)$/.exec(whole)?.[1];
  const names = [whole, ...(labelled === undefined ? [] : [labelled])];
  const bare = names.map((name) => name.slice(name.lastIndexOf('/') + 1).replace(IMAGE_EXTENSION, ''));
  return [...names, ...bare].find(isStem) ?? names.at(-1)!;
}
