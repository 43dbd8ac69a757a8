import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Served } from './host.js';

const SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
const IMAGES = [1, 2, 4, 8, 16, 32];

/** The numbers of a server in the text format of Prometheus, with those of its process. */
export interface Metrics {
  request(route: string, status: number, seconds: number): void;
  image(result: 'ok' | 'error'): void;
  batch(images: number): void;
  reload(result: 'ok' | 'error'): void;
  text(): Promise<string>;
  readonly contentType: string;
}

export interface Measured {
  readonly waiting: () => number;
  readonly inHand: () => number;
  readonly receiving: () => number;
  readonly served: () => Served;
}

export function createMetrics({ waiting, inHand, receiving, served }: Measured): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    ...{ name: 'finetune_requests_total', help: 'Requests that were answered.', registers },
    labelNames: ['route', 'status'] as const,
  });
  const seconds = new Histogram({
    ...{ name: 'finetune_request_seconds', help: 'Time from the headers of a request to its answer.', registers },
    labelNames: ['route'] as const,
    buckets: SECONDS,
  });
  const images = new Counter({
    ...{ name: 'finetune_images_total', help: 'Images that were predicted, or could not be.', registers },
    labelNames: ['result'] as const,
  });
  const batches = new Histogram({
    ...{ name: 'finetune_batch_images', help: 'Images that were run together.', registers, buckets: IMAGES },
  });
  const reloads = new Counter({
    ...{ name: 'finetune_reloads_total', help: 'Times that a new model was opened.', registers },
    labelNames: ['result'] as const,
  });
  const gauge = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(value());
      },
    });
  gauge('finetune_waiting_images', 'Images that wait for the network.', waiting);
  gauge('finetune_requests_in_hand', 'Requests that wait or are computed.', inHand);
  gauge('finetune_requests_receiving', 'Requests whose bodies are on the way.', receiving);
  new Gauge({
    ...{ name: 'finetune_model_info', help: 'The model that answers.', registers },
    labelNames: ['sha256', 'task'] as const,
    collect() {
      const { sha256, task } = served();
      this.reset();
      this.set({ sha256, task }, 1);
    },
  });
  return {
    request(route, status, time) {
      requests.inc({ route, status: String(status) });
      seconds.observe({ route }, time);
    },
    image: (result) => images.inc({ result }),
    batch: (count) => batches.observe(count),
    reload: (result) => reloads.inc({ result }),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
