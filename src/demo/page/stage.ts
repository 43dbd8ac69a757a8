import type { Size } from '../../draw/labels.js';
import { drawFound } from './draw.js';
import { element } from './elements.js';
import type { Found } from './model.js';

/** What lies over the image. */
export interface Overlay {
  readonly found: Found;
  readonly classIndexOf: (categoryId: number) => number;
}

/** The place of the image: a canvas for a still one or the camera's video, and over it a canvas for what was found. */
export interface Stage {
  /** Shows an image that was decoded. */
  showImage(image: ImageBitmap, name: string): void;
  /** Shows the video instead of the image. */
  showVideo(): void;
  /** Shows neither. */
  clear(): void;
  /** Draws over what is shown; undefined: nothing. */
  lay(overlay: Overlay | undefined): void;
  /** The image with what was found, as a file. */
  toPicture(): Promise<Blob>;
  readonly video: HTMLVideoElement;
}

/** How high an image becomes at most, in pixels of CSS and as a share of the window, and how much larger a small one. */
const MOST_HEIGHT = { pixels: 736, ofWindow: 0.66 };
const MOST_GROWTH = 3;

/** Height of letters: 14 pixels of CSS on the page; in a picture that is saved 13 for a small one, 40 for the largest. */
const ON_PAGE = 14;
const inPicture = ({ width, height }: Size): number =>
  Math.round(13 * Math.max(1, Math.max(width, height) / 640) ** 0.6);

export function openStage(): Stage {
  const frame = element('stage', HTMLDivElement);
  const still = element('still', HTMLCanvasElement);
  const video = element('video', HTMLVideoElement);
  const canvas = element('overlay', HTMLCanvasElement);
  let laid: Overlay | undefined;
  const shown = (): HTMLCanvasElement | HTMLVideoElement => (video.hidden ? still : video);
  const sizeOf = (): Size =>
    video.hidden
      ? { width: still.width, height: still.height }
      : { width: video.videoWidth, height: video.videoHeight };

  /** Makes the image as large as the frame allows, and small ones not too large. */
  const fit = (): void => {
    const { width, height } = sizeOf();
    if (width === 0 || frame.clientWidth === 0) return;
    const highest = Math.min(MOST_HEIGHT.pixels, MOST_HEIGHT.ofWindow * globalThis.innerHeight);
    const scale = Math.min(frame.clientWidth / width, highest / height, MOST_GROWTH);
    Object.assign(shown().style, { width: `${width * scale}px`, height: `${height * scale}px` });
  };
  const draw = (): void => {
    fit();
    const { offsetLeft, offsetTop, clientWidth, clientHeight } = shown();
    const density = globalThis.devicePixelRatio;
    canvas.width = Math.max(1, Math.round(clientWidth * density));
    canvas.height = Math.max(1, Math.round(clientHeight * density));
    Object.assign(canvas.style, {
      left: `${offsetLeft}px`,
      top: `${offsetTop}px`,
      width: `${clientWidth}px`,
      height: `${clientHeight}px`,
    });
    const image = sizeOf();
    if (laid && image.width > 0)
      drawFound(canvas.getContext('2d')!, laid.found, { ...laid, image, letter: ON_PAGE * density });
  };
  new ResizeObserver(draw).observe(frame);
  video.addEventListener('resize', draw);

  return {
    video,
    showImage(image, name) {
      video.hidden = true;
      still.hidden = false;
      still.width = image.width;
      still.height = image.height;
      still.getContext('2d')!.drawImage(image, 0, 0);
      still.setAttribute('aria-label', name);
      frame.classList.remove('empty');
      laid = undefined;
      draw();
    },
    showVideo() {
      still.hidden = true;
      video.hidden = false;
      frame.classList.remove('empty');
      laid = undefined;
      draw();
    },
    clear() {
      video.hidden = true;
      still.hidden = false;
      frame.classList.add('empty');
      laid = undefined;
      draw();
    },
    lay(overlay) {
      laid = overlay;
      draw();
    },
    async toPicture() {
      const { width, height } = sizeOf();
      const picture = new OffscreenCanvas(width, height);
      picture.getContext('2d')!.drawImage(shown(), 0, 0, width, height);
      if (laid) {
        const over = document.createElement('canvas');
        Object.assign(over, { width, height });
        const options = { ...laid, image: { width, height }, letter: inPicture({ width, height }) };
        drawFound(over.getContext('2d')!, laid.found, options);
        picture.getContext('2d')!.drawImage(over, 0, 0);
      }
      return picture.convertToBlob({ type: 'image/jpeg', quality: 0.92 });
    },
  };
}
