import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { get, type Access } from '../../fetch/http.js';
import { isPrivate } from '../../fetch/url.js';
import type { Place } from './pipSettings.js';
import { unavailable } from './setupOptions.js';
import type { Wheel } from './wheels.js';

/** Where a place has the wheel: on a disk, or on a server with the headers that each server needs. */
export type Offer =
  { readonly file: string } | { readonly url: URL; readonly headersFor: NonNullable<Access['headersFor']> };

const PAGE_LIMIT = 15_000; // ms
const MOST = 32 * 2 ** 20; // bytes of a page; PyPI's page of tensorflow has 1.5 MB
/** The simple API of PEP 691, or the pages of PEP 503 where a mirror has no other. */
const ACCEPT = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

/** Looks for the wheel at one place; undefined if it is not there. Throws what `get` throws. */
export async function findWheel(
  place: Place,
  wheel: Wheel,
  fetch: Access['fetch'],
  signal?: AbortSignal,
): Promise<Offer | undefined> {
  if (place.url.protocol === 'file:') return onDisk(place, wheel);
  const { page, headersFor } = withoutUser(place, wheel);
  const limits = [AbortSignal.timeout(PAGE_LIMIT), ...(signal ? [signal] : [])];
  const { response } = await get(page, { accept: ACCEPT }, AbortSignal.any(limits), {
    isPinned: true, // nothing but the address of a file with a known hash is taken from the page
    fetch,
    headersFor,
  });
  const link = findLink(await readText(response, page), wheel.file);
  const base = response.url || page.href;
  if (link === undefined || !URL.canParse(link, base)) return undefined;
  const url = new URL(link, base);
  url.hash = '';
  return /^https?:$/.test(url.protocol) ? { url, headersFor } : undefined;
}

/** The page of a place without the user name and the password, which go to this server alone and never unencrypted over a
 *  network. */
function withoutUser(
  { kind, url }: Place,
  { project }: Wheel,
): { page: URL } & Pick<Extract<Offer, { url: URL }>, 'headersFor'> {
  const page = new URL(url);
  const [user, password] = [page.username, page.password].map(decodeURIComponent);
  page.username = page.password = '';
  if (kind === 'index') page.pathname = `${page.pathname.replace(/\/*$/, '')}/${project}/`;
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const hasUser = user !== '' || password !== '';
  const headersFor = (to: URL): Record<string, string> =>
    hasUser && to.origin === page.origin && isPrivate(to) ? { authorization: basic } : {};
  return { page, headersFor };
}

function onDisk({ kind, url }: Place, { project, file }: Wheel): Offer | undefined {
  const path = fileURLToPath(url);
  const folder = kind === 'index' ? join(path, project) : path;
  if (existsSync(join(folder, file))) return { file: join(folder, file) };
  const page = folder.endsWith('.html') ? folder : join(folder, 'index.html');
  if (!existsSync(page) || !statSync(page).isFile()) return undefined;
  const link = findLink(readFileSync(page, 'utf8'), file);
  const base = pathToFileURL(page);
  if (link === undefined || !URL.canParse(link, base.href)) return undefined;
  const to = new URL(link, base);
  to.hash = '';
  if (to.protocol === 'file:') return existsSync(to) ? { file: fileURLToPath(to) } : undefined;
  return /^https?:$/.test(to.protocol) ? { url: to, headersFor: () => ({}) } : undefined;
}

/** The address in a page of either kind that ends with the name of the file. */
function findLink(text: string, file: string): string | undefined {
  const links = text.trimStart().startsWith('{') ? linksOfJson(text) : linksOfHtml(text);
  return links.find((link) => {
    const path = link.replace(/[?#].*$/s, '');
    return basename(decode(path)) === file;
  });
}

function linksOfJson(text: string): string[] {
  try {
    const { files } = JSON.parse(text) as { files?: readonly { url?: unknown }[] };
    return (files ?? []).flatMap(({ url }) => (typeof url === 'string' ? [url] : []));
  } catch {
    return [];
  }
}

const linksOfHtml = (text: string): string[] =>
  [...text.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)].map(([, double, single]) =>
    (double ?? single ?? '').replaceAll('&amp;', '&'),
  );

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

async function readText(response: Response, { host }: URL): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > MOST)
      throw unavailable(`the page of the index at ${host} has more than ${MOST} bytes`, 'check `pip config list`');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}
