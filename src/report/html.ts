/** Markup that is already safe; `html` is the only maker of it besides `trusted`. */
export interface Html {
  readonly markup: string;
}

type Value = string | number | Html | readonly Html[] | false | undefined;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const isList = (value: Html | readonly Html[]): value is readonly Html[] => Array.isArray(value);

function render(value: Value): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return value.replace(/[&<>"']/g, (character) => entities[character]!);
  if (typeof value === 'number') return String(value);
  return isList(value) ? value.map(({ markup }) => markup).join('\n') : value.markup;
}

/** Template tag: every text that is put in is escaped, markup made by another `html` is not. For SVG just as well. */
export function html(text: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { markup: text.map((part, i) => part + render(values[i])).join('') };
}

/** Markup from a maker of our own that escapes by itself: the charts, the style sheet. */
export const trusted = (markup: string): Html => ({ markup });
