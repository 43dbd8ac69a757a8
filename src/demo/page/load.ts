import {
  DEMO_GLOBAL,
  type DemoContent,
  type DemoEngine,
  type DemoGlobal,
  type Packed,
  type PackedModel,
} from '../content.js';

/** What scripts left in the page. They are there from the start, or come when a model needs them. */
const demo = (): DemoGlobal => (globalThis as unknown as Record<typeof DEMO_GLOBAL, DemoGlobal>)[DEMO_GLOBAL];

/** Leaves the last predictions to programs that drive the page. */
export const publish = (found: unknown): void => void (demo().found = found);

export function readContent(): DemoContent {
  const { content } = demo();
  if (!content) throw new Error('the file content.js is missing or damaged: copy the whole folder again');
  return content;
}

const loading = new Map<string, Promise<void>>();
/** Runs a script of the folder, once. */
export function loadScript(path: string): Promise<void> {
  const known = loading.get(path);
  if (known) return known;
  const loaded = new Promise<void>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = path;
    script.addEventListener('load', () => resolve());
    script.addEventListener('error', () => {
      loading.delete(path); // the next attempt may find a connection
      reject(new Error(`${path} cannot be loaded: is the folder complete, and is the server there?`));
    });
    document.head.append(script);
  });
  loading.set(path, loaded);
  return loaded;
}

/** What a script that was loaded holds; it is taken out of the page, since it takes as much memory as the model. */
function take(path: string): Packed {
  const { packed } = demo();
  const content = packed.get(path);
  if (content === undefined) throw new Error(`${path} is damaged: copy the whole folder again`);
  packed.delete(path);
  loading.delete(path);
  return content;
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export interface LoadedFiles {
  readonly card: PackedModel['card'];
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** Loads the files of a model, and compares their sha256 with the card where the browser can (it does so on https, localhost
 *  and file://). */
export async function loadModelFiles(path: string): Promise<LoadedFiles> {
  await loadScript(path);
  const { card, files: packed } = take(path) as PackedModel;
  const files = new Map(Object.entries(packed).map(([name, base64]) => [name, bytesOf(base64)]));
  const { subtle } = globalThis.crypto as Partial<Crypto>;
  for (const [name, expected] of Object.entries(card.files as Record<string, string>)) {
    const bytes = files.get(name);
    const found = bytes && subtle ? hex(await subtle.digest('SHA-256', bytes)) : expected;
    if (!bytes || found !== expected) throw new Error(`${name} in ${path} is not the model of its card: export again`);
  }
  return { card, files };
}

const hex = (digest: ArrayBuffer): string =>
  Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');

const engines = new Map<DemoEngine, Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>>>();
/** Loads the scripts of an engine, once, and returns the files that the last of them holds. */
export function loadEngineFiles(
  engine: DemoEngine,
  scripts: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array<ArrayBuffer>>> {
  const known = engines.get(engine);
  if (known) return known;
  const loaded = (async () => {
    for (const script of scripts) await loadScript(script);
    const packed = take(scripts.at(-1)!) as Readonly<Record<string, string>>;
    return new Map(Object.entries(packed).map(([name, base64]) => [name, bytesOf(base64)]));
  })();
  engines.set(engine, loaded);
  loaded.catch(() => engines.delete(engine));
  return loaded;
}
