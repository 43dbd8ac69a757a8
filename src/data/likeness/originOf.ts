/** What the name of an image file says about where the image comes from. */
export interface Origin {
  /** Name of the image of which this is a copy, as Roboflow names copies: `name_jpg.rf.<hash>.jpg`. */
  readonly copyOf?: string;
  /** The image is number `number` of the images that are called `series`. */
  readonly series?: string;
  readonly number?: number;
  /** The name says that the series is a video: frame_0001, clip_mp4-12. */
  readonly isVideo: boolean;
}

const COPY = /^(.+)\.rf\.[0-9a-z]{8,}$/i;
const NUMBERED = /^(.*?)(\d+)$/s;
const VIDEO = /(?:^|[^a-z])(?:frames?|vid|videos?|clip|mp4|avi|mov|mkv|webm|m4v)[^a-z0-9]*$|(?:frame|video|clip)$/i;

/** Reads the name of a file, with or without folders. */
export function originOf(file: string): Origin {
  const stem = file.replace(/^.*[\\/]/s, '').replace(/\.[^.]*$/, '');
  const copyOf = COPY.exec(stem)?.[1];
  const plain = copyOf === undefined ? stem : copyOf.replace(/_(?:jpe?g|png|webp|bmp|tiff?)$/i, '');
  const [, series, digits] = NUMBERED.exec(plain) ?? [];
  if (series === undefined || digits === undefined || digits.length > 9)
    return { ...(copyOf !== undefined && { copyOf }), isVideo: false };
  const isVideo = VIDEO.test(series);
  return { ...(copyOf !== undefined && { copyOf }), series, number: Number(digits), isVideo };
}
