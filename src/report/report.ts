import { writeAtomically } from '../files/writeAtomically.js';
import type { Score } from '../tasks/evaluator.js';
import type { Section } from '../tasks/section.js';
import type { DroppedByPart, FreezeReceipt, MetricsLine } from '../train/record.js';
import { drawCurves, type BestEpoch } from './charts.js';
import { html } from './html.js';
import { chartFigure, headlineOf, page } from './page.js';
import { drawSection } from './drawSection.js';
import { droppedSection, factsSection, freezeSection, versionsSection } from './sections.js';

/** metrics.json. */
export interface Metrics<S extends Score = Score> {
  readonly task: string;
  readonly metric: S;
  /** Where classes were added: the scores of those known before, by the old model and by the new one. */
  readonly oldClasses?: { readonly before: S; readonly after: S };
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
  /** The score's numbers by name. */
  readonly numbers: Readonly<Record<string, number>>;
  readonly lines: readonly MetricsLine[];
  readonly best?: BestEpoch | undefined;
  /** How often each category occurs, by its name. */
  readonly counts: Readonly<Record<string, { readonly train: number; readonly val: number }>>;
  /** The resolved recipe, YAML. */
  readonly recipeText: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly dropped: DroppedByPart;
  readonly freeze?: FreezeReceipt | undefined;
  /** Speed-ups, warnings: a sentence each. */
  readonly notes: readonly string[];
  /** What the task shows; the first stands above the curves. */
  readonly sections: readonly Section[];
}

/** The numbers that a title has room for. */
export const leading = (numbers: Report['numbers']) => Object.entries(numbers).slice(0, 2);

/** Write the report as one self-contained HTML file, atomically: no script, nothing to fetch. Pictures are read from the
 *  examples' files; one that cannot be read is named in its place. */
export async function writeReport(report: Report, file: string): Promise<void> {
  await writeAtomically(file, await renderReport(report));
}

async function renderReport(report: Report): Promise<string> {
  const { title, headline, metrics, recipeText, notes } = report;
  const sections = [];
  for (const section of report.sections) sections.push(await drawSection(section, report.counts)); // one after the other: few pictures in memory
  const curves = await drawCurves(report.lines, report.best);

  const content = html`${factsSection(metrics, leading(report.numbers))}
    ${
      notes.length > 0 &&
      html`<ul class="notes">
        ${notes.map((note) => html`<li>${note}</li>`)}
      </ul>`
    }
    ${sections.slice(0, 1)}
    <section>
      <h2>Curves</h2>
      <div class="charts">${curves.map(chartFigure)}</div>
      ${curves.length === 0 && html`<p>Nothing was trained.</p>`}
    </section>
    ${sections.slice(1)} ${droppedSection(report.dropped)} ${freezeSection(report.freeze)}
    <section>
      <h2>Configuration</h2>
      <pre>${recipeText}</pre>
    </section>
    ${versionsSection(report.versions)}`;
  return page({ title, lead: headlineOf(headline) }, content);
}
