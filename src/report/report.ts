import type { CocoScore } from '../evaluate/cocoScore.js';
import { writeAtomically } from '../files/writeAtomically.js';
import type { DroppedByPart, FreezeReceipt, MetricsLine } from '../train/record.js';
import { drawCurves } from './charts.js';
import { html, trusted } from './html.js';
import { drawExample, type Example } from './overlay.js';
import {
  categorySection,
  droppedSection,
  factsSection,
  freezeSection,
  scoreSection,
  versionsSection,
} from './sections.js';
import { style } from './style.js';

/** metrics.json. */
export interface Metrics {
  readonly task: string;
  readonly metric: CocoScore;
  readonly loss: { readonly train: number; readonly val: number };
  readonly epochs: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
  /** Trainable or not, counted over the model as it is used. */
  readonly params: number;
  /** Multiply-adds of one image. */
  readonly macs: number;
  readonly engine: string;
}

/** Everything the report says. */
export interface Report {
  readonly title: string;
  /** The score in one sentence. */
  readonly headline: string;
  readonly metrics: Metrics;
  readonly lines: readonly MetricsLine[];
  /** Objects of each category, by its name. */
  readonly counts: Readonly<Record<string, { readonly train: number; readonly val: number }>>;
  /** The resolved recipe, YAML. */
  readonly recipeText: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly dropped: DroppedByPart;
  readonly freeze?: FreezeReceipt | undefined;
  /** Speed-ups, warnings: a sentence each. */
  readonly notes: readonly string[];
  readonly examples: readonly Example[];
  /** Predictions below it are not drawn; 0.3 unless told. */
  readonly scoreThreshold?: number;
}

/** Write the report as one self-contained HTML file, atomically: no script, nothing to fetch. Pictures are read from the
 *  examples' files; one that cannot be read is named in its place. */
export async function writeReport(report: Report, file: string): Promise<void> {
  await writeAtomically(file, await renderReport(report));
}

async function renderReport(report: Report): Promise<string> {
  const { title, headline, metrics, recipeText, notes, scoreThreshold = 0.3 } = report;
  const names = metrics.metric.perCategory.map(({ name }) => name);
  const worstFirst = [...report.examples].sort((a, b) => b.error - a.error);
  const pictures = [];
  for (const example of worstFirst) pictures.push(await drawExample(example, names, scoreThreshold)); // one picture in memory
  const curves = await drawCurves(report.lines);

  const page = html`<!doctype html>
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
          <p class="headline">${headline}</p>
        </header>
        ${factsSection(metrics)}
        ${
          notes.length > 0 &&
          html`<ul class="notes">
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`
        }
        ${scoreSection(metrics.metric)}
        <section>
          <h2>Curves</h2>
          <div class="charts">
            ${curves.map(
              (curve) =>
                html`<figure class="chart">
                  <h3>${curve.title}</h3>
                  ${trusted(curve.svg)}
                </figure>`,
            )}
          </div>
          ${curves.length === 0 && html`<p>Nothing was trained.</p>`}
        </section>
        ${categorySection(metrics.metric.perCategory, report.counts)}
        <section>
          <h2>Images, worst first</h2>
          <p>
            Predictions scoring at least ${scoreThreshold} are drawn. A colour is a category; a <b>dashed</b> box is a
            mistake: missed on the left, false on the right (no IoU ≥ 0.5 with an object of its category). Dotted grey
            objects are ignored.
          </p>
          ${pictures}
        </section>
        ${droppedSection(report.dropped)} ${freezeSection(report.freeze)}
        <section>
          <h2>Configuration</h2>
          <pre>${recipeText}</pre>
        </section>
        ${versionsSection(report.versions)}
      </body>
    </html> `;
  return page.markup;
}
