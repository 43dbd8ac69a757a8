/** The page of a demo folder: it shows an image or the camera, and what the model finds in it. Nothing leaves the page: its
 *  content security policy allows no connection. */
import type { DemoContent, DemoModel } from '../content.js';
import { openCamera } from './camera.js';
import { listModels, openSave, openThreshold } from './controls.js';
import { element } from './elements.js';
import { readContent } from './load.js';
import { startLooking } from './looking.js';
import { complain, messageOf, painted, say, wait } from './messages.js';
import { openDemoModel } from './model.js';
import { nameResults } from './results.js';
import { listenForImages, showSamples, type TakeImage } from './sources.js';
import { openStage } from './stage.js';

function start(content: DemoContent): void {
  const stage = openStage();
  const save = openSave(stage);
  const threshold = openThreshold(() => {
    if (!camera.isOn) void looking.refresh();
  });
  const looking = startLooking(stage, threshold, () => (save.disabled = false));

  const showStill = (): void => {
    const { image } = looking;
    if (image) stage.showImage(image.bitmap, image.name);
    else stage.clear();
  };
  const camera = openCamera({
    video: stage.video,
    started: () => {
      complain(undefined);
      stage.showVideo();
      mark(undefined);
      void looking.follow(() => camera.isOn);
    },
    stopped: () => {
      showStill();
      mark(looking.image?.name);
      void looking.refresh();
    },
    failed: (message) => {
      showStill();
      complain(message);
    },
  });
  const take: TakeImage = (blob, name) => {
    createImageBitmap(blob, { colorSpaceConversion: 'none', imageOrientation: 'from-image' }).then(
      (bitmap) => {
        camera.stop();
        looking.image?.bitmap.close();
        looking.image = { bitmap, blob, name };
        showStill();
        mark(name);
        void looking.refresh();
      },
      () => complain(`${name} is no image that this browser can read.`),
    );
  };
  const mark = showSamples(content.samples, take);
  listenForImages(take);

  const use = async (chosen: DemoModel): Promise<void> => {
    looking.model = undefined;
    wait('Loading the model');
    await painted();
    try {
      looking.model = await openDemoModel(chosen, content);
      element('input', HTMLElement).textContent = looking.model.input;
      nameResults(looking.model.task);
      threshold.setOwn(looking.model.scoreThreshold);
      if (looking.image) await looking.refresh();
      else if (!camera.isOn) say('The model is ready');
    } catch (error) {
      complain(`The model cannot be loaded: ${messageOf(error)}`);
    }
    wait(undefined);
    document.documentElement.dataset.ready = String(looking.model !== undefined); // for tests
  };
  listModels(content.models, (model) => void use(model));
  stage.clear();
  document.querySelector<HTMLButtonElement>('#samples button')?.click();
  void use(content.models[0]!);
}

try {
  start(readContent());
} catch (error) {
  wait(undefined);
  complain(messageOf(error));
}
