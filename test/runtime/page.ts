/** What a page of the slow test does: it loads an exported model with onnxruntime-web, and predicts for images. */
import * as ort from 'onnxruntime-web/wasm';
import { createPredictor, onnxRuntime } from '../../src/runtime.js';

/** Predicts for images by their addresses, as <img> elements of a page have them. */
export async function predictAll(images: readonly string[], scoreThreshold: number): Promise<unknown[]> {
  ort.env.wasm.wasmPaths = '/ort/';
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create('/model/model.onnx');
  const card: unknown = await (await fetch('/model/model-card.json')).json();
  const predictor = createPredictor(card, onnxRuntime(ort, session), { scoreThreshold });
  const found: unknown[] = [];
  for (const image of images) found.push(await predictor.predict(await (await fetch(image)).blob()));
  return found;
}
