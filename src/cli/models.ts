import { describe, type ModelSummary } from '../models/describe.js';
import { cells, HEADINGS, modelsReference } from '../models/reference.js';
import { backbones, findBackbone } from '../models/registry.js';

export interface ModelsCommand {
  readonly json?: boolean;
  /** Print docs/models.md. */
  readonly markdown?: boolean;
}

/** The command: every backbone, or the one called `name`, counted and with what is published about it; for people a table on stderr,
 *  as JSON on stdout. Throws E_MODEL_UNKNOWN. */
export function models(name: string | undefined, { json = false, markdown = false }: ModelsCommand): void {
  const chosen = name === undefined ? [...backbones.values()] : [findBackbone(name)];
  const summaries = chosen.map(describe);
  if (json) console.log(JSON.stringify(summaries));
  else if (markdown) console.log(modelsReference(summaries));
  else console.error(name === undefined ? formatTable(summaries) : formatModel(summaries[0]!));
}

/** A row for each model, columns aligned. */
function formatTable(summaries: readonly ModelSummary[]): string {
  const rows = [HEADINGS, ...summaries.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  ');
  return rows.map(line).join('\n');
}

function formatModel(summary: ModelSummary): string {
  const { source } = findBackbone(summary.name);
  const stages = summary.stages.map(
    ({ tap, stride, channels }) => `${tap}  stride ${String(stride).padStart(2)}  ${channels} channels`,
  );
  return [
    formatTable([summary]),
    '',
    ...stages,
    '',
    `architecture: ${source}`,
    `published figures: ${summary.published.source}`,
  ].join('\n');
}
