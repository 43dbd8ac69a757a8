import { complain, messageOf, painted, say, wait } from './messages.js';
import { element } from './elements.js';
import { publish } from './load.js';
import type { OpenedDemoModel } from './model.js';
import { listFound, sentenceOf } from './results.js';
import type { Stage } from './stage.js';

/** What is looked at, and with what. */
export interface Looking {
  model: OpenedDemoModel | undefined;
  image: { readonly bitmap: ImageBitmap; readonly blob: Blob; readonly name: string } | undefined;
  /** Predicts for the image that is shown, and once more if something was changed meanwhile. */
  refresh(): Promise<void>;
  /** Predicts for the video as fast as the model can, until `isOn` says no. */
  follow(isOn: () => boolean): Promise<void>;
}

/** Milliseconds after which the page says that it is busy. */
const SLOW = 150;

export function startLooking(stage: Stage, threshold: { readonly value: number }, looked: () => void): Looking {
  let isBusy = false;
  let isStale = false;
  const look = async (model: OpenedDemoModel, source: ImageBitmapSource): Promise<void> => {
    const { classIndexOf } = model;
    const { found, ms } = await model.predict(source, threshold.value);
    stage.lay({ found, classIndexOf });
    listFound(found, classIndexOf);
    element('latency', HTMLElement).textContent = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
    say(sentenceOf(found));
    publish(found.list);
    looked();
  };
  return {
    model: undefined,
    image: undefined,
    async refresh() {
      isStale = true;
      if (isBusy) return;
      isBusy = true;
      const slow = setTimeout(() => wait('Looking'), SLOW);
      try {
        while (isStale && this.image && this.model) {
          isStale = false;
          await painted();
          await look(this.model, this.image.blob);
        }
        complain(undefined);
      } catch (error) {
        complain(messageOf(error));
      } finally {
        clearTimeout(slow);
        isBusy = false;
        if (this.model) wait(undefined);
      }
    },
    async follow(isOn) {
      try {
        await painted();
        while (isOn()) {
          if (this.model && stage.video.videoWidth > 0) await look(this.model, stage.video);
          await painted();
        }
      } catch (error) {
        complain(messageOf(error));
      }
    },
  };
}
