import type { DemoModel } from '../content.js';
import { element, make } from './elements.js';
import type { Stage } from './stage.js';

/** The least score that is shown: the model's own, until the person moves the slider. */
export interface Threshold {
  readonly value: number;
  /** Takes the threshold of a model. */
  setOwn(value: number): void;
}

const STEP = 0.01;
const DIRECTIONS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

export function openThreshold(changed: () => void): Threshold {
  const slider = element('threshold', HTMLInputElement);
  const reset = element('reset', HTMLButtonElement);
  const [least, most] = [Number(slider.min), Number(slider.max)];
  slider.step = 'any'; // a model's own threshold need not be a multiple of the step
  let [value, own] = [Number(slider.value), Number(slider.value)];
  const set = (wanted: number): void => {
    value = Math.min(most, Math.max(least, wanted));
    slider.value = String(value);
    slider.setAttribute('aria-valuetext', value.toFixed(2));
    element('threshold-value', HTMLOutputElement).textContent = value.toFixed(2);
    reset.hidden = Math.abs(value - own) < STEP / 2;
  };
  const choose = (wanted: number): void => {
    set(Math.round(wanted / STEP) * STEP);
    changed();
  };
  slider.addEventListener('input', () => choose(Number(slider.value)));
  slider.addEventListener('keydown', (event) => {
    const direction = DIRECTIONS[event.key];
    if (direction === undefined) return;
    event.preventDefault();
    choose(value + direction * STEP);
  });
  reset.addEventListener('click', () => {
    set(own);
    slider.focus(); // the button is gone
    changed();
  });
  return {
    get value() {
      return value;
    },
    setOwn(wanted) {
      own = wanted;
      set(wanted);
    },
  };
}

/** The list of models, which is shown if there are several. */
export function listModels(models: readonly DemoModel[], use: (model: DemoModel) => void): void {
  const select = element('model', HTMLSelectElement);
  const options = models.map(({ name, bytes }, i) => {
    const option = make('option', '', `${name}, ${(bytes / 1e6).toFixed(1)} MB`);
    option.value = String(i);
    return option;
  });
  select.replaceChildren(...options);
  select.addEventListener('change', () => use(models[Number(select.value)]!));
  element('model-setting', HTMLDivElement).hidden = models.length < 2;
}

/** The button that saves what the stage shows. It works after something was looked at. */
export function openSave(stage: Stage): HTMLButtonElement {
  const button = element('save', HTMLButtonElement);
  button.addEventListener('click', () => {
    void stage.toPicture().then((picture) => {
      const link = make('a');
      link.href = URL.createObjectURL(picture);
      link.download = 'found.jpg';
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    });
  });
  return button;
}
