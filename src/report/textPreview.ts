import { html, trusted } from './html.js';

/** An image with the outlines of its words and characters (x1, y1, …, pixels). */
export interface PreviewImage {
  /** Path of the image, relative to the page. */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly words: readonly {
    readonly text: string;
    readonly outline: readonly number[];
    readonly characters: readonly (readonly number[])[];
  }[];
}

const STYLE =
  'body{font:14px system-ui;margin:1rem;background:#16181d;color:#ddd}main{display:grid;gap:8px;grid-template-columns:repeat(auto-fill,minmax(360px,1fr))}' +
  'svg{width:100%;height:auto;display:block}polygon{fill:transparent;stroke:#3f6;stroke-width:1.5}.c{stroke:#f55;stroke-width:.7}' +
  'main:has(input:checked) polygon{visibility:hidden}label{position:sticky;top:0}';

/** A page of annotated text images: words are green, characters red, and a tooltip shows the text. The images are
 *  separate files. */
export function textPreview(images: readonly PreviewImage[]): string {
  const figures = images.map(
    ({ file, width, height, words }) =>
      html`<svg viewBox="0 0 ${width} ${height}">
        <image href="${file}" width="${width}" height="${height}" />
        ${words.map(
          ({ text, outline, characters }) =>
            html`${characters.map((quad) => html`<polygon class="c" points="${quad.join(' ')}" />`)}<polygon
                points="${outline.join(' ')}"
                ><title>${text}</title></polygon
              >`,
        )}
      </svg>`,
  );
  const count = images.reduce((sum, { words }) => sum + words.length, 0);
  return html`<!doctype html>
    <meta charset="utf-8" />
    <title>${images.length} images, ${count} words</title>
    <style>
      ${trusted(STYLE)}
    </style>
    <main>
      <label><input type="checkbox" /> only the images</label>
      ${figures}
    </main>`.markup;
}
