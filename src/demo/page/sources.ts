import type { DemoSample } from '../content.js';
import { element, make } from './elements.js';
import { bytesOf } from './load.js';

/** What the person chose: an image, with the button of its sample if it is one. */
export type TakeImage = (image: Blob, name: string) => void;

/** Listens for images that are chosen, dropped or pasted. */
export function listenForImages(take: TakeImage): void {
  const choose = element('choose', HTMLInputElement);
  choose.addEventListener('change', () => {
    const file = choose.files?.[0];
    if (file) take(file, file.name);
    choose.value = ''; // so that the same file can be chosen again
  });
  const stage = element('stage', HTMLDivElement);
  const imageIn = (data: DataTransfer | null): File | undefined => [...(data?.files ?? [])][0];
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    stage.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) stage.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    stage.classList.remove('over');
    const file = imageIn(event.dataTransfer);
    if (file) take(file, file.name);
  });
  document.addEventListener('paste', (event) => {
    const file = imageIn(event.clipboardData);
    if (file) take(file, 'pasted image');
  });
}

/** Shows the sample images as buttons. Returns a function that marks the one with a name as chosen. */
export function showSamples(samples: readonly DemoSample[], take: TakeImage): (chosen: string | undefined) => void {
  const place = element('samples', HTMLDivElement);
  place.hidden = samples.length === 0;
  const buttons = samples.map(({ name, jpeg }) => {
    const image = new Blob([bytesOf(jpeg)], { type: 'image/jpeg' });
    const thumbnail = make('img');
    thumbnail.src = URL.createObjectURL(image);
    thumbnail.alt = name;
    const button = make('button', '', thumbnail);
    button.type = 'button';
    button.addEventListener('click', () => take(image, name));
    return { name, button };
  });
  place.replaceChildren(...buttons.map(({ button }) => button));
  return (chosen) => {
    for (const { name, button } of buttons) button.setAttribute('aria-pressed', String(name === chosen));
  };
}
