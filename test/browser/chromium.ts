import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from '@jest/globals';
import { build } from 'esbuild';
import { chromium, type BrowserContext } from 'playwright-core';
import { serveFolders } from './serve.js';

/** Tests that run code in Debian's Chromium. */

const CHROMIUM = '/usr/bin/chromium'; // playwright-core brings no browser
const FLAGS = [
  '--no-sandbox', // Chromium does not start as root with its sandbox
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Without a GPU, Chromium computes WebGL on the CPU. */
const WEBGL = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
const root = fileURLToPath(new URL('../../', import.meta.url));

const hasChromium = existsSync(CHROMIUM);
/** A test that is skipped where there is no Chromium. */
export const inBrowser = hasChromium ? test : test.skip;
/** The same for a test that takes longer: it also needs FINETUNE_SLOW=1. */
export const inBrowserSlowly = hasChromium && process.env.FINETUNE_SLOW === '1' ? test : test.skip;

/** Bundles code for a page. `contents` is a module whose imports are resolved from the root of the project; the page finds
 *  its exports in the global `name`. Rejects if the code imports a module of Node. */
export async function bundleForBrowser(contents: string, name = 'bundle'): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: name,
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** A page with a bundle in it. */
export interface Page {
  /** The address of the server whose folders the page can fetch. */
  readonly url: string;
  /** Calls a function that the bundle exports, and returns what it resolves to. Arguments and result are copied as JSON is. */
  call<T>(name: string, ...args: readonly unknown[]): Promise<T>;
  /** What the page wrote to its console, and the errors that nothing caught. */
  readonly messages: readonly string[];
  close(): Promise<void>;
}

export interface PageOptions {
  /** The module that runs in the page: see bundleForBrowser. */
  readonly code: string;
  /** Folders that the page can fetch files from: `{ model: 'runs/a/tfjs' }` serves runs/a/tfjs/model.json
   *  as /model/model.json. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Whether the page needs WebGL. */
  readonly webgl?: boolean;
}

/** Starts Chromium with a profile of its own. */
export async function openChromium(
  flags: readonly string[],
): Promise<{ readonly context: BrowserContext; close(): Promise<void> }> {
  const profile = mkdtempSync(join(tmpdir(), 'finetune-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    args: [...FLAGS, ...flags],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

/** Opens a page of Chromium on a static server on the loopback interface, and runs the code in it. */
export async function openPage({ code, folders = {}, webgl = false }: PageOptions): Promise<Page> {
  const bundle = await bundleForBrowser(code);
  const server = await serveFolders(folders);
  const { context, ...browser } = await openChromium(webgl ? WEBGL : ['--disable-gpu']);
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(0);
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(String(error)));
    await page.goto(server.url);
    await page.addScriptTag({ content: bundle });
    const call = async <T>(name: string, ...given: readonly unknown[]): Promise<T> =>
      page.evaluate<T>(`bundle[${JSON.stringify(name)}](...${JSON.stringify(given)})`);
    return { url: server.url, call, messages, close };
  } catch (error) {
    await close();
    throw error;
  }
}
