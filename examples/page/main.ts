/** A page that finds objects in a photo. */
import * as ort from 'onnxruntime-web/wasm';
import { createPredictor, onnxRuntime, type DetectorPredictor } from 'tfjs-finetune/runtime';

const status = document.querySelector('#status')!;
const canvas = document.querySelector('canvas')!;
const photo = document.querySelector<HTMLInputElement>('#photo')!;

async function loadModel(): Promise<DetectorPredictor> {
  const card: unknown = await (await fetch('model/model-card.json')).json();
  const session = await ort.InferenceSession.create('model/model.onnx');
  const model = createPredictor(card, onnxRuntime(ort, session));
  if (model.task !== 'detection') throw new Error(`this page shows objects, and the model is for ${model.task}`);
  return model;
}

const model = loadModel();

async function look(file: File): Promise<void> {
  const image = await createImageBitmap(file);
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext('2d')!;
  context.drawImage(image, 0, 0);
  const found = await (await model).predict(file);
  context.lineWidth = 3;
  context.strokeStyle = 'red';
  for (const { box } of found) context.strokeRect(...box);
  status.textContent = found.map(({ category, score }) => `${category} ${score.toFixed(2)}`).join(', ') || 'nothing';
}

const complain = (error: unknown): void => void (status.textContent = String(error));
photo.addEventListener('change', () => {
  const [file] = photo.files ?? [];
  if (file) look(file).catch(complain);
});
model.then(() => (status.textContent = 'The model is ready'), complain);
