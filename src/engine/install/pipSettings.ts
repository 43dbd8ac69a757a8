import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Machine } from './wheels.js';

/** A place where pip looks for packages. */
export interface Place {
  /** `index`: has a page or a folder for each project (PEP 503); `links`: one page or folder with all files. */
  readonly kind: 'index' | 'links';
  /** http:, https: or file:. It may hold a user name and a password. */
  readonly url: URL;
}

/** The settings of pip that decide from where a wheel comes. */
export interface PipSettings {
  readonly places: readonly Place[];
  readonly proxy: string | undefined;
  /** File with the certificates of the servers. */
  readonly certificates: string | undefined;
}

const PYPI = 'https://pypi.org/simple';

/** Reads pip's settings as pip does, but without Python: PIP_… variables come before the section [download] of pip's files,
 *  and that before [global]. https://pip.pypa.io/en/stable/topics/configuration/ */
export async function readPipSettings(
  machine: Machine,
  read: (file: string) => Promise<string> = (file) => readFile(file, 'utf8'),
): Promise<PipSettings> {
  const texts = await Promise.all(configFiles(machine).map((file) => read(file).catch(() => '')));
  const sections = texts.map(parseIni);
  const settings = new Map<string, string>();
  for (const name of ['global', 'download'])
    for (const section of sections) for (const [key, value] of section.get(name) ?? []) settings.set(key, value);
  for (const [name, value] of Object.entries(machine.env))
    if (name.startsWith('PIP_') && value) settings.set(normal(name.slice('PIP_'.length)), value);

  const get = (key: string): string | undefined => settings.get(key) || undefined;
  const words = (key: string): string[] => (get(key) ?? '').split(/\s+/).filter(Boolean);
  const noIndex = /^(1|true|yes|on|t|y)$/i.test(get('no-index') ?? '');
  const indexes = noIndex ? [] : [get('index-url') ?? PYPI, ...words('extra-index-url')];
  const places = [
    ...words('find-links').flatMap((text) => placeOf('links', text)),
    ...indexes.flatMap((text) => placeOf('index', text)),
  ];
  return {
    places: places.sort((a, b) => Number(isRemote(a)) - Number(isRemote(b))), // what lies on a disk first
    proxy: get('proxy'),
    certificates: get('cert') ?? (machine.env.REQUESTS_CA_BUNDLE || machine.env.SSL_CERT_FILE || undefined),
  };
}

const isRemote = ({ url }: Place): boolean => url.protocol !== 'file:';

function placeOf(kind: Place['kind'], text: string): Place[] {
  const address = text.replace(/^~(?=[\\/])/, homedir());
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(address); // two letters at least: C: is a disk
  if (!isUrl) return [{ kind, url: pathToFileURL(address) }];
  return URL.canParse(address) && /^(https?|file):/i.test(address) ? [{ kind, url: new URL(address) }] : [];
}

/** pip's files; later ones win. */
function configFiles({ env, platform }: Machine): string[] {
  const own = env.PIP_CONFIG_FILE;
  if (own === '/dev/null' || own?.toLowerCase() === 'nul') return [];
  const name = platform === 'win32' ? 'pip.ini' : 'pip.conf';
  const home = env.HOME || homedir();
  const config = env.XDG_CONFIG_HOME || join(home, '.config');
  const ofSystem =
    platform === 'win32'
      ? [join(env.ProgramData ?? 'C:\\ProgramData', 'pip', name)]
      : platform === 'darwin'
        ? [join('/Library/Application Support/pip', name)]
        : [
            ...(env.XDG_CONFIG_DIRS || '/etc/xdg').split(delimiter).map((folder) => join(folder, 'pip', name)),
            '/etc/pip.conf',
          ];
  const ofUser =
    platform === 'win32'
      ? [join(home, 'pip', name), join(env.APPDATA ?? home, 'pip', name)]
      : [
          join(home, '.pip', name),
          join(config, 'pip', name),
          ...(platform === 'darwin' ? [join(home, 'Library/Application Support/pip', name)] : []),
        ];
  const ofEnvironment = env.VIRTUAL_ENV ? [join(env.VIRTUAL_ENV, name)] : [];
  return [...ofSystem, ...(own ? [] : ofUser), ...ofEnvironment, ...(own ? [own] : [])];
}

const normal = (key: string): string => key.trim().toLowerCase().replaceAll('_', '-').replace(/^--/, '');

/** The sections of a file that Python's configparser reads: comments have lines of their own, and a value goes on in the
 *  lines that are indented. */
function parseIni(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let key: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    if (/^\s/.test(line) && key !== undefined) {
      section.set(key, `${section.get(key) ?? ''}\n${line.trim()}`);
      continue;
    }
    const name = /^\[([^\]]+)\]/.exec(line.trim())?.[1];
    const [, left, value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line.trim()) ?? [];
    key = name === undefined && left !== undefined ? normal(left) : undefined;
    if (name !== undefined) {
      section = sections.get(name) ?? new Map<string, string>();
      sections.set(name, section);
    } else if (key !== undefined) section.set(key, value.trim());
  }
  return sections;
}
