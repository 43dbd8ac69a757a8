import { writeAtomically } from '../files/writeAtomically.js';
import { drawCurves } from './charts.js';
import { html } from './html.js';
import { chartFigure, headlineOf, page } from './page.js';
import { drawSection } from './drawSection.js';
import { leading, type Report } from './report.js';
import { speedSection } from './speed.js';
import { droppedSection, factsSection, freezeSection, versionsSection } from './sections.js';

/** Write the report as one self-contained HTML file, atomically: it has no script and fetches nothing. Pictures are
 *  read from the examples' files; if one cannot be read, that is written in its place. */
export async function writeReport(report: Report, file: string): Promise<void> {
  await writeAtomically(file, await renderReport(report));
}

async function renderReport(report: Report): Promise<string> {
  const { title, headline, metrics, recipeText, notes } = report;
  const sections = [];
  for (const section of report.sections) sections.push(await drawSection(section, report.counts)); // one after the other, so that few pictures are in memory
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
    ${versionsSection(report.versions)} ${report.speed && speedSection(report.speed)}`;
  return page({ title, lead: headlineOf(headline), ...(report.roots && { roots: report.roots }) }, content);
}
