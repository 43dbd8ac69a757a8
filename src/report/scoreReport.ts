import { join } from 'node:path';
import type { Intervals } from '../evaluate/bootstrap.js';
import type { Curve } from '../evaluate/matches.js';
import { makeFolder } from '../files/folders.js';
import { writeAtomically } from '../files/writeAtomically.js';
import type { Section } from '../tasks/section.js';
import { drawSection } from './drawSection.js';
import { html, type Html } from './html.js';
import { chartFigure, headlineOf, page } from './page.js';
import { drawPrecisionRecall } from './scoreCharts.js';

/** A table: its heads, and rows of a name and numbers. `bar` is drawn as a bar, 0…1. */
export interface ScoreTable {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly { readonly cells: readonly string[]; readonly bar: number }[];
  /** Text below the table. */
  readonly note?: string;
}

/** The contents of a page about a score. */
export interface ScorePage {
  readonly title: string;
  /** The protocol, and how the numbers are computed. */
  readonly protocol: string;
  /** The numbers, which are shown in tiles. */
  readonly facts: readonly (readonly [name: string, value: number])[];
  /** Precision–recall curves by class. */
  readonly curves: ReadonlyMap<string, Curve>;
  readonly tables: readonly ScoreTable[];
  /** Sections before the tables. */
  readonly sections?: readonly Section[];
  /** The files that were compared. */
  readonly files: Readonly<Record<string, string>>;
  readonly intervals?: Intervals | undefined;
}

/** Write `score.html` into a folder, which is made if needed, and return its path. The page is self-contained: it has
 *  no script and fetches nothing. */
export async function writeScoreReport(score: ScorePage, folder: string): Promise<string> {
  await makeFolder(folder);
  const file = join(folder, 'score.html');
  await writeAtomically(file, await renderScore(score));
  return file;
}

const fraction = (value: number): string => (value >= 0 ? value.toFixed(3) : '–');

async function renderScore(score: ScorePage): Promise<string> {
  const { title, protocol, facts, curves, tables, files, intervals } = score;
  const charts = await drawPrecisionRecall(curves);
  const drawn: Html[] = [];
  for (const section of score.sections ?? []) drawn.push(await drawSection(section, {}));
  const content = html`<dl class="facts">${facts.map(([name, value]) => fact(name, value, intervals))}</dl>
    ${intervals !== undefined && html`<p class="small">In brackets: the 95 % interval, by bootstrap over images.</p>`}
    ${
      charts.length > 0 &&
      html`<section>
        <h2>Precision and recall</h2>
        <div class="charts">${charts.map(chartFigure)}</div>
      </section>`
    }
    ${drawn} ${tables.map(tableSection)}
    <section>
      <h2>Files</h2>
      <table>
        ${Object.entries(files).map(
          ([name, file]) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td class="text">${file}</td>
            </tr>`,
        )}
      </table>
    </section>`;
  return page({ title, lead: headlineOf(protocol) }, content);
}

function fact(name: string, value: number, intervals: Intervals | undefined): Html {
  const interval = intervals?.[name];
  return html`<div>
    <dt>${name}</dt>
    <dd>${fraction(value)} ${interval && html`<small>[${fraction(interval[0])}, ${fraction(interval[1])}]</small>`}</dd>
  </div>`;
}

function tableSection({ title, heads, rows, note }: ScoreTable): Html {
  return html`<section>
    <h2>${title}</h2>
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          <th scope="col" class="bar"></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ cells: [name, ...numbers], bar }) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${numbers.map((cell) => html`<td>${cell}</td>`)}
              <td class="bar"><i style="width:${(100 * Math.max(0, Math.min(1, bar))).toFixed(1)}%"></i></td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${note !== undefined && html`<p class="small">${note}</p>`}
  </section>`;
}
