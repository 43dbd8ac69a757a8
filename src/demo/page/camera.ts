import { element } from './elements.js';

export interface Camera {
  readonly isOn: boolean;
  stop(): void;
}

export interface CameraHooks {
  readonly video: HTMLVideoElement;
  /** The camera shows its first image. */
  readonly started: () => void;
  readonly stopped: () => void;
  readonly failed: (message: string) => void;
}

/** The buttons for the camera. It faces away from the person at first, where a device has two. */
export function openCamera({ video, started, stopped, failed }: CameraHooks): Camera {
  const button = element('camera', HTMLButtonElement);
  const turn = element('turn', HTMLButtonElement);
  let facing: 'environment' | 'user' = 'environment';
  let stream: MediaStream | undefined;

  const show = (): void => {
    button.textContent = stream ? 'Stop the camera' : 'Start the camera';
    button.setAttribute('aria-pressed', String(stream !== undefined));
  };
  const end = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
    turn.hidden = true;
    show();
  };
  const start = async (): Promise<void> => {
    const { mediaDevices } = navigator as { readonly mediaDevices?: MediaDevices };
    if (!mediaDevices) {
      failed('A browser gives the camera to pages on https:// and on localhost alone. Choose an image instead.');
      return;
    }
    try {
      stream = await mediaDevices.getUserMedia({ audio: false, video: { facingMode: facing, width: { ideal: 1280 } } });
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      end();
      failed(cameraProblem(error));
      return;
    }
    show();
    const devices = await mediaDevices.enumerateDevices().catch(() => []);
    turn.hidden = devices.filter(({ kind }) => kind === 'videoinput').length < 2;
    started();
  };
  button.addEventListener('click', () => {
    if (!stream) return void start();
    end();
    stopped();
  });
  turn.addEventListener('click', () => {
    facing = facing === 'user' ? 'environment' : 'user';
    end();
    void start();
  });
  return {
    get isOn() {
      return stream !== undefined;
    },
    stop: end,
  };
}

function cameraProblem(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return 'The camera was not allowed. Allow it in the address bar, and try again.';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'This device has no camera.';
  if (name === 'NotReadableError') return 'Another program uses the camera. Close it, and try again.';
  return `The camera cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
}
