/** A page that learns two classes from a visitor's photos. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { createLearner, type Example, type Learner } from 'tfjs-finetune/personalise';

const STEPS = 60;
const input = (id: string) => document.querySelector<HTMLInputElement>(`#${id}`)!;
const status = document.querySelector('#status')!;
const progress = document.querySelector('progress')!;
const answers = document.querySelector('#answers')!;

async function loadCheckpoint(): Promise<Uint8Array> {
  setWasmPaths('wasm/');
  await tf.setBackend('wasm');
  const response = await fetch('model.safetensors');
  if (!response.ok)
    throw new Error('put a classifier, such as runs/mine/checkpoints/best.safetensors, beside the page');
  return new Uint8Array(await response.arrayBuffer());
}

const checkpoint = loadCheckpoint();
let learner: Learner | undefined;

async function learn(): Promise<void> {
  const names = [0, 1].map((i) => input(`name-${i}`).value);
  const examples = names.flatMap((category, i): Example[] =>
    [...(input(`photos-${i}`).files ?? [])].map((image) => ({ image, category })),
  );
  learner?.dispose();
  learner = await createLearner(tf, await checkpoint, { categories: names });
  const start = performance.now();
  status.textContent = 'Looking at the photos';
  progress.hidden = false;
  await learner.learn(examples, { steps: STEPS, onStep: (step) => (progress.value = step / STEPS) });
  progress.hidden = true;
  status.textContent = `Learned from ${examples.length} photos in ${((performance.now() - start) / 1000).toFixed(1)} s`;
  input('check').disabled = false;
}

async function check(files: readonly File[]): Promise<void> {
  answers.replaceChildren();
  for (const file of files) {
    const [best] = await learner!.predict(file);
    const item = document.createElement('li');
    const image = new Image();
    image.src = URL.createObjectURL(file);
    image.alt = file.name;
    item.append(image, `${best!.category} ${(100 * best!.probability).toFixed(0)} %`);
    item.dataset.category = best!.category;
    answers.append(item);
  }
}

const complain = (error: unknown): void => void (status.textContent = String(error));

document.querySelector('#lesson')!.addEventListener('submit', (event) => {
  event.preventDefault();
  learn().catch(complain);
});
input('check').addEventListener('change', () => {
  check([...(input('check').files ?? [])]).catch(complain);
});
checkpoint.then(() => (status.textContent = 'The model is ready'), complain);
