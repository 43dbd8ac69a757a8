import { classColour } from '../draw/colours.js';
import type {
  BoxesSection,
  CategoriesSection,
  CurvesSection,
  MatrixSection,
  NumbersSection,
  PicturesSection,
  Section,
  TableSection,
} from '../tasks/section.js';
import { imageName } from './imageName.js';
import { html, trusted, type Html } from './html.js';
import { drawExample, encodePicture } from './overlay.js';
import type { Report } from './report.js';
import { drawMeans, drawPrecisionRecall } from './scoreCharts.js';
import { fraction } from './sections.js';

type Drawing<S extends Section> = (section: S, counts: Report['counts']) => Html | Promise<Html>;

const drawings = { numbers, categories, boxes, matrix, table, pictures, curves } satisfies {
  [K in Section['kind']]: Drawing<Extract<Section, { kind: K }>>;
};

/** Draws a task's section. */
export const drawSection = (section: Section, counts: Report['counts']): Html | Promise<Html> =>
  (drawings[section.kind] as Drawing<Section>)(section, counts);

function numbers({ title, text, rows, note }: NumbersSection): Html {
  const row = ({ name, numbers: cells }: NumbersSection['rows'][number]) =>
    html`<tr>
        <td></td>
        ${cells.map(([head]) => html`<th scope="col">${head}</th>`)}
      </tr>
      <tr>
        <th scope="row">${name}</th>
        ${cells.map(([, value]) => html`<td>${fraction(value)}</td>`)}
      </tr>`;
  return html`<section>
    <h2>${title}</h2>
    <p>${text}</p>
    <table class="score">
      ${rows.map(row)}
    </table>
    <p class="small">${note}</p>
  </section>`;
}

/** A row for each category with a bar. The dot has the category's colour on the images. */
function categories({ heads, rows, counted }: CategoriesSection, counts: Report['counts']): Html {
  const bar = (value: number) =>
    html`<td class="bar"><i style="width:${(100 * Math.max(0, value)).toFixed(1)}%"></i></td>`;
  return html`<section>
    <h2>Categories</h2>
    <table>
      <thead>
        <tr>
          <th scope="col">category</th>
          <th scope="col">train</th>
          <th scope="col">val</th>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
          <th scope="col" class="bar"></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, numbers: cells }, i) =>
            html`<tr>
              <th scope="row"><i class="dot" style="background:${classColour(i)}"></i>${name}</th>
              <td>${counts[name]?.train ?? 0}</td>
              <td>${counts[name]?.val ?? 0}</td>
              ${cells.map((value) => html`<td>${fraction(value)}</td>`)} ${bar(cells.at(-1) ?? 0)}
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="small">train, val: number of ${counted} of the category in each part.</p>
  </section>`;
}

async function boxes({ examples, names, scoreThreshold }: BoxesSection): Promise<Html> {
  const worstFirst = [...examples].sort((a, b) => b.error - a.error);
  const pictures = [];
  for (const example of worstFirst) pictures.push(await drawExample(example, names, scoreThreshold)); // one after the other, so that one picture is in memory
  return html`<section>
    <h2>Images, worst first</h2>
    <p>
      Predictions that score at least ${scoreThreshold} are drawn. The colour shows the category. A <b>dashed</b> box is
      a mistake: a missed object on the left, a false detection on the right (no IoU ≥ 0.5 with an object of its
      category). Dotted grey objects are ignored.
    </p>
    ${pictures}
  </section>`;
}

/** Right answers are on the diagonal; a cell is as dark as its share of its row. */
function matrix({ names, rowNames = names, text, counts }: MatrixSection): Html {
  const cell = (count: number, total: number, isRight: boolean) => {
    const share = Math.round((100 * count) / Math.max(total, 1));
    const colour = isRight ? 'var(--good)' : 'var(--bad)';
    return html`<td style="background:color-mix(in srgb, ${colour} ${share / 2}%, transparent)">${count}</td>`;
  };
  return html`<section>
    <h2>Confusion matrix</h2>
    ${text !== undefined && html`<p>${text}</p>`}
    <table class="matrix">
      <thead>
        <tr>
          <th scope="col">true ↓ predicted →</th>
          ${names.map((name) => html`<th scope="col">${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${counts.map((row, i) => {
          const total = row.reduce((sum, count) => sum + count, 0);
          return html`<tr>
            <th scope="row">${rowNames[i]}</th>
            ${row.map((count, j) => cell(count, total, i === j))}
          </tr>`;
        })}
      </tbody>
    </table>
    <p class="small">${text === undefined ? 'Numbers of images. The' : 'The'} colour shows the share of the row.</p>
  </section>`;
}

function table({ title, heads, rows, wordy, note }: TableSection): Html {
  return html`<section>
    <h2>${title}</h2>
    <table>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ([name, ...cells]) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((text, i) => (wordy && i === cells.length - 1 ? html`<td class="text">${text}</td>` : html`<td>${text}</td>`))}
            </tr>`,
        )}
      </tbody>
    </table>
    <p class="small">${note}</p>
  </section>`;
}

/** Longer side of a picture, in CSS pixels and in pixels of the stored image. */
const PICTURE = 240;

async function pictures({ title, text, pictures: shown }: PicturesSection): Promise<Html> {
  const figures = [];
  for (const { file, imageId, caption } of shown) {
    const title = imageName({ file, imageId });
    const picture = await encodePicture(file, { width: PICTURE, height: PICTURE }).then(
      (uri) => html`<img src="${uri}" alt="${title}" />`,
      (error: unknown) => html`<p>The picture cannot be read: ${String(error)}</p>`,
    );
    figures.push(
      html`<figure>
        ${picture}
        <figcaption><b>${title}</b> ${caption}</figcaption>
      </figure>`,
    );
  }
  return html`<section>
    <h2>${title}</h2>
    <p>${text}</p>
    <div class="gallery">${figures}</div>
  </section>`;
}

async function curves({ title, classes, sizes }: CurvesSection): Promise<Html> {
  const charts = [
    ...(await drawPrecisionRecall(classes)),
    ...(await drawMeans('Precision over recall, by size of the objects', sizes)),
  ];
  if (charts.length === 0) return html``;
  return html`<section>
    <h2>${title}</h2>
    <div class="charts">
      ${charts.map(
        (chart) =>
          html`<figure class="chart">
            <h3>${chart.title}</h3>
            ${trusted(chart.svg)}
          </figure>`,
      )}
    </div>
  </section>`;
}
