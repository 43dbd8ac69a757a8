import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserType, Page } from 'playwright-core';
import { FinetuneError } from '../errors.js';
import { packageFolder } from '../files/packageFolder.js';
import type { Running } from './children.js';
import { ADDRESSES, type PageWork } from './page.js';

/** An exported model that is opened in a browser. */
export interface BrowserWork extends PageWork {
  /** The model folder. */
  readonly folder: string;
  /** The file of the image. */
  readonly image: string;
}

/** Opens a browser with a page that predicts with `tfjs-finetune/runtime`, as the page of an application does.
 *  Throws E_ENGINE_UNAVAILABLE if a package is missing or the browser cannot run the model. */
export async function openInBrowser(
  executable: string,
  { folder, image, format, backend }: BrowserWork,
): Promise<Running & { readonly isSoftware: boolean }> {
  const scripts = SCRIPTS[format][backend]!;
  for (const { name } of scripts) folderOf(name);
  const browser = await launch(executable);
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(0);
    await answer(page, { folder, image });
    await page.goto(ORIGIN);
    for (const { name, file } of scripts) await page.addScriptTag({ url: `${ADDRESSES.packages}${name}/${file}` });
    const call = <T>(code: string): Promise<T> =>
      page.evaluate(`import('${ADDRESSES.dist}bench/page.js').then((bench) => bench.${code})`);
    const opened = await call<{ readonly isSoftware: boolean }>(`open(${JSON.stringify({ format, backend })})`);
    let memory: number | null = null;
    return {
      ...opened,
      host: `${browser.browserType().name() === 'chromium' ? 'Chromium' : 'the browser'} ${browser.version()}`,
      async round() {
        const times = await call<number[]>('round()');
        const now = await memoryOf(browser);
        if (now !== null) memory = Math.max(memory ?? 0, now);
        return times;
      },
      memoryBytes: () => memory,
      end: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    if (error instanceof FinetuneError) throw error;
    throw unavailable(firstLine(error), undefined, error);
  }
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/^page\.\w+: (Error: )?/, '').split('\n')[0]!;

const unavailable = (message: string, fix?: string, cause?: unknown): FinetuneError =>
  new FinetuneError({ code: 'E_ENGINE_UNAVAILABLE', message, ...(fix && { fix }) }, { cause });

const tfjs = (name: string) => ({ name: `@tensorflow/tfjs-${name}`, file: `tf-${name}.es2017.min.js` });
const ort = (file: string) => [{ name: 'onnxruntime-web', file }];

/** What a page loads of npm packages, in this order, by the format of the model and what it computes on. */
const SCRIPTS: Readonly<
  Record<
    PageWork['format'],
    Partial<Record<PageWork['backend'], readonly { readonly name: string; readonly file: string }[]>>
  >
> = {
  tfjs: {
    wasm: [tfjs('core'), tfjs('converter'), tfjs('backend-wasm')],
    webgl: [tfjs('core'), tfjs('converter'), tfjs('backend-webgl')],
  },
  onnx: { wasm: ort('ort.wasm.min.js'), webgpu: ort('ort.webgpu.min.js') },
};

/** What the models of a format can compute on in a page. The operators of ONNX for int8 have no kernels in WebGPU. */
export const backendsOf = (format: PageWork['format'], isInt8: boolean): PageWork['backend'][] =>
  (Object.keys(SCRIPTS[format]) as PageWork['backend'][]).filter((backend) => !(isInt8 && backend === 'webgpu'));

const folderOf = (name: string): string => packageFolder(name, `npm install ${name}`);

/** The page's address: browsers give what they give to https:// to localhost, too. Nothing listens there; `answer` does. */
const ORIGIN = 'http://localhost/';
const DIST = fileURLToPath(new URL('../', import.meta.url));

/** Answers the page's requests with files, and refuses all others. */
async function answer(page: Page, { folder, image }: Pick<BrowserWork, 'folder' | 'image'>): Promise<void> {
  const find = (path: string): string | undefined => {
    if (path === ADDRESSES.image) return image;
    if (path.startsWith(ADDRESSES.model)) return join(folder, path.slice(ADDRESSES.model.length));
    if (path.startsWith(ADDRESSES.dist)) return join(DIST, path.slice(ADDRESSES.dist.length));
    const [, name, file] = /^\/packages\/((?:@[^/]+\/)?[^/]+)\/([^/]+)$/.exec(path) ?? [];
    return name === undefined ? undefined : join(folderOf(name), file!);
  };
  await page.route('**/*', async (route) => {
    const { origin, pathname } = new URL(route.request().url());
    if (`${origin}/` !== ORIGIN) return route.abort();
    if (pathname === '/')
      return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>bench</title>' });
    const path = find(pathname);
    return path === undefined || !existsSync(path) ? route.fulfill({ status: 404 }) : route.fulfill({ path });
  });
}

/** Starts a browser. WebGPU has to be asked for on Linux. */
async function launch(executablePath: string): Promise<Browser> {
  const chromium = await playwright();
  const isRoot = process.getuid?.() === 0; // Chromium does not start as root with its sandbox
  const args = ['--enable-unsafe-webgpu', ...(isRoot ? ['--no-sandbox'] : [])];
  return chromium.launch({ executablePath, args }).catch((error: unknown) => {
    throw unavailable(`${executablePath} does not start: ${firstLine(error)}`, 'name another: --browser FILE', error);
  });
}

async function playwright(): Promise<BrowserType> {
  try {
    return (await import('playwright-core')).chromium;
  } catch (error) {
    throw unavailable('the package playwright-core is not installed', 'npm install playwright-core', error);
  }
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome', 'microsoft-edge'];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** A browser of this machine: what `CHROME_PATH` names, or the first that is found. */
export function findBrowser(env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter);
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [env['CHROME_PATH'] ?? '', ...onPath, ...APPLICATIONS].find((file) => file !== '' && existsSync(file));
}

/** Memory of all processes of a browser, with what they share counted once, as Linux tells it. */
async function memoryOf(browser: Browser): Promise<number | null> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const shares = await Promise.all(
    processInfo.map(({ id }) =>
      readFile(`/proc/${id}/smaps_rollup`, 'utf8').then(
        (text) => Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024,
        () => 0,
      ),
    ),
  );
  return shares.reduce((sum, share) => sum + share, 0) || null;
}
