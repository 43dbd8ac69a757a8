import { html, trusted, type Html } from './html.js';
import { publishable } from './publish.js';
import { style } from './style.js';

export interface PageHead {
  readonly title: string;
  /** Below the title. */
  readonly lead: Html;
  /** Folders to which the page's paths are relative (publish.ts). */
  readonly roots?: readonly string[];
}

/** A whole page in one file: the frame that all pages share. People publish pages, so it has no secrets and no paths of
 *  this machine. */
export function page({ title, lead, roots }: PageHead, ...content: readonly Html[]): string {
  const { markup } = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${trusted(style)}
        </style>
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${lead}
        </header>
        ${content}
      </body>
    </html>`;
  return publishable(markup, roots);
}

/** The page's result in one line. */
export const headlineOf = (text: string): Html => html`<p class="headline">${text}</p>`;

export const chartFigure = (chart: { readonly title: string; readonly svg: string }): Html =>
  html`<figure class="chart">
    <h3>${chart.title}</h3>
    ${trusted(chart.svg)}
  </figure>`;
