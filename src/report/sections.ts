import type { DroppedByPart, FreezeReceipt } from '../train/log/record.js';
import { html, type Html } from './html.js';
import type { Metrics, Report } from './report.js';

/** A fraction with three decimals; −1 (nothing to measure) and NaN become a dash. */
export const fraction = (value: number) => (value >= 0 ? value.toFixed(3) : '–');

const significant = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });

/** Abbreviates a number: 3400000 → 3.4 M. */
function amount(value: number): string {
  const [unit, name] = (
    [
      [1e9, 'G'],
      [1e6, 'M'],
      [1e3, 'k'],
    ] as const
  ).find(([size]) => value >= size) ?? [1, ''];
  return `${significant.format(value / unit)} ${name}`.trim();
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${significant.format(seconds)} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** The main facts of a run, in a row of tiles. */
export function factsSection(
  { loss, epochs, seconds, imagesPerSecond, params, macs, engine }: Metrics,
  score: readonly (readonly [name: string, value: number])[],
): Html {
  const facts: readonly (readonly [name: string, value: string])[] = [
    ...score.map(([name, value]): [string, string] => [name, fraction(value)]),
    ['loss, train / val', `${significant.format(loss.train)} / ${significant.format(loss.val)}`],
    ['epochs', String(epochs)],
    ['time', duration(seconds)],
    ['images per second', significant.format(imagesPerSecond)],
    ['parameters', amount(params)],
    ['multiply-adds', amount(macs)],
    ['engine', engine],
  ];
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** The section on data that was left out, with the reasons. */
export function droppedSection(dropped: DroppedByPart): Html {
  const rows = Object.entries(dropped).flatMap(([part, reasons]) =>
    Object.entries(reasons).flatMap(([reason, count]) => (count > 0 ? [{ part, reason, count }] : [])),
  );
  const table = html`<table>
    <thead>
      <tr>
        <th scope="col">part</th>
        <th scope="col" class="text">reason</th>
        <th scope="col">count</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ part, reason, count }) =>
          html`<tr>
            <th scope="row">${part}</th>
            <td class="text">${reason}</td>
            <td>${count}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
  return html`<section>
    <h2>Dropped data</h2>
    ${rows.length === 0 ? html`<p>Nothing was dropped.</p>` : table}
  </section>`;
}

/** The freeze receipt: whether the frozen tensors kept their bytes. */
export function freezeSection(freeze: FreezeReceipt | undefined): Html {
  if (!freeze)
    return html`<section>
      <h2>Freeze receipt</h2>
      <p>Nothing was frozen.</p>
    </section>`;
  const { tensors, values, before, after, engine, names } = freeze;
  const verdict =
    before === after
      ? html`<b class="good">Unchanged.</b> The bytes of every frozen tensor are the same before and after training.`
      : html`<b class="bad">Changed!</b> Frozen tensors were changed, so this run did not do what its recipe says.`;
  return html`<section>
    <h2>Freeze receipt</h2>
    <p>${verdict} ${tensors} tensors, ${amount(values)} values, BatchNorm statistics included.</p>
    <table class="hashes">
      <tr>
        <th scope="row">before</th>
        <td class="text"><code>${before}</code></td>
      </tr>
      <tr>
        <th scope="row">after</th>
        <td class="text"><code>${after}</code></td>
      </tr>
      <tr>
        <th scope="row">in the engine</th>
        <td class="text"><code>${engine.sha256}</code></td>
      </tr>
    </table>
    <p class="small">
      In the engine: the ${engine.constants} constants into which frozen layers were folded. They were read back after
      training, and are equal to those that follow from the last checkpoint. <code>freeze.json</code> has a hash of each
      tensor; <code>finetune verify-freeze</code> compares every checkpoint with it.
    </p>
    <details>
      <summary>The ${names.length} names</summary>
      <pre>${names.join('\n')}</pre>
    </details>
  </section>`;
}

/** The versions of the software that ran. */
export function versionsSection(versions: Report['versions']): Html {
  const rows = Object.entries(versions).map(
    ([name, version]) =>
      html`<tr>
        <th scope="row">${name}</th>
        <td class="text">${version}</td>
      </tr>`,
  );
  return html`<section>
    <h2>Versions</h2>
    <table>
      ${rows}
    </table>
  </section>`;
}
