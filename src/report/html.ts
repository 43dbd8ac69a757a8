/** Markup that is already escaped; only `html` and `trusted` make it. */
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

/** Template tag for HTML and SVG: every inserted text is escaped, inserted markup of type Html is not. */
export function html(text: TemplateStringsArray, ...values: readonly Value[]): Html {
  return { markup: text.map((part, i) => part + render(values[i])).join('') };
}

/** Marks text as markup that needs no escaping, such as charts and the style sheet. */
export const trusted = (markup: string): Html => ({ markup });
