import { classColour } from '../../draw/colours.js';
import { element, make } from './elements.js';
import type { Found } from './model.js';

/** Rows that the list shows at most. */
const MOST_ROWS = 100;

/** What was found, as a sentence. */
export function sentenceOf({ task, list }: Found): string {
  const { length } = list;
  switch (task) {
    case 'detection':
      return length === 0 ? 'Nothing found' : `${length} ${length === 1 ? 'object' : 'objects'} found`;
    case 'text':
      return length === 0 ? 'No words found' : `${length} ${length === 1 ? 'word' : 'words'} found`;
    case 'classification':
      return list[0] ? `${list[0].category}, ${percent(list[0].probability)}` : 'No class is that probable';
  }
}

/** Names the list and the threshold after what the model finds. */
export function nameResults(task: Found['task']): void {
  const isClass = task === 'classification';
  element('threshold-name', HTMLSpanElement).textContent = isClass ? 'Least probability' : 'Least score';
  element('found-title', HTMLHeadingElement).textContent = isClass ? 'Most probable' : 'Found';
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Fills the list of what was found. */
export function listFound(found: Found, classIndexOf: (categoryId: number) => number): void {
  const rows = rowsOf(found, classIndexOf);
  const more = rows.length - MOST_ROWS;
  element('found', HTMLOListElement).replaceChildren(
    ...rows.slice(0, MOST_ROWS),
    ...(more > 0 ? [make('li', 'none', `and ${more} more`)] : []),
    ...(rows.length === 0 ? [make('li', 'none', 'Try a lower score, or another image.')] : []),
  );
}

function rowsOf(found: Found, classIndexOf: (categoryId: number) => number): HTMLLIElement[] {
  switch (found.task) {
    case 'detection':
      return found.list.map(({ category, categoryId, score }) =>
        row(category, score.toFixed(2), classColour(classIndexOf(categoryId))),
      );
    case 'text':
      return found.list.map(({ score }, i) => row(`Word ${i + 1}`, score.toFixed(2), classColour(5)));
    case 'classification':
      return found.list.map(({ category, categoryId, probability }) => {
        const colour = classColour(classIndexOf(categoryId));
        const made = row(category, percent(probability), colour);
        made.append(bar(probability, colour));
        return made;
      });
  }
}

function row(name: string, value: string, colour: string): HTMLLIElement {
  const dot = make('span', 'dot');
  dot.style.background = colour;
  return make('li', '', dot, make('span', 'name', name), make('span', 'value', value));
}

const SVG = 'http://www.w3.org/2000/svg';
function bar(share: number, colour: string): SVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'bar');
  svg.setAttribute('aria-hidden', 'true');
  const rect = document.createElementNS(SVG, 'rect');
  const attributes = { width: `${(100 * share).toFixed(2)}%`, height: '100%', fill: colour };
  for (const [name, value] of Object.entries(attributes)) rect.setAttribute(name, value);
  svg.append(rect);
  return svg;
}
