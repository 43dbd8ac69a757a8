import { element } from './elements.js';

/** Says what went wrong, or takes that back. */
export function complain(message: string | undefined): void {
  const problem = element('problem', HTMLParagraphElement);
  problem.hidden = message === undefined;
  problem.textContent = message ?? '';
}

/** Shows that something takes a while, or that it is over. */
export function wait(message: string | undefined): void {
  element('waiting', HTMLParagraphElement).hidden = message === undefined;
  element('waiting-text', HTMLSpanElement).textContent = message ?? '';
}

/** Says the result. A screen reader reads it when it changes. */
export function say(sentence: string): void {
  const status = element('status', HTMLParagraphElement);
  if (status.textContent !== sentence) status.textContent = sentence;
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Lets the browser paint before the engine takes the thread. */
export const painted = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve));
  });
