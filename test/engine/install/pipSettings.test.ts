import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readPipSettings } from '../../../src/engine/install/pipSettings.js';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'pip-settings-'));
});
afterAll(() => {
  rmSync(home, { recursive: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}
/** The files of the machine that the test runs on do not count. */
const readBelowHome = (file: string) => (file.startsWith(home) ? readFile(file, 'utf8') : Promise.reject(new Error()));
async function read(env: NodeJS.ProcessEnv = {}, platform: NodeJS.Platform = 'linux') {
  const ofTest = { HOME: home, XDG_CONFIG_DIRS: join(home, 'system'), ...env };
  const { places, ...rest } = await readPipSettings({ env: ofTest, platform, arch: 'x64' }, readBelowHome);
  return { places: places.map(({ kind, url }) => `${kind} ${url.href}`), ...rest };
}

describe('readPipSettings', () => {
  test('PyPI, where nothing is set', async () => {
    const settings = await read({ PIP_INDEX_URL: '' });
    expect(settings).toEqual({
      places: ['index https://pypi.org/simple'],
      proxy: undefined,
      certificates: undefined,
    });
  });

  test('variables: an index, further ones, folders with links; what lies on a disk comes first', async () => {
    const { places } = await read({
      PIP_INDEX_URL: 'https://me:secret@mirror.example/simple/',
      PIP_EXTRA_INDEX_URL: 'http://other.example/simple  file:///srv/index svn+ssh://no.example',
      PIP_FIND_LINKS: '/srv/wheels ~/wheels',
      PIP_CONFIG_FILE: '/dev/null',
    });
    expect(places).toEqual([
      'links file:///srv/wheels',
      `links file://${homedir()}/wheels`,
      'index file:///srv/index',
      'index https://me:secret@mirror.example/simple/',
      'index http://other.example/simple',
    ]);
    expect((await read({ PIP_NO_INDEX: '1', PIP_FIND_LINKS: '/srv/wheels' })).places).toEqual([
      'links file:///srv/wheels',
    ]);
  });

  test('files: system, user, environment; [download] before [global]; variables before both', async () => {
    write('system/pip/pip.conf', '[global]\nindex-url = https://system.example\nproxy: http://proxy.example:3128\n');
    write('.config/pip/pip.conf', '# mine\n[global]\ncert = /srv/ca.pem\nindex_url = https://user.example\n');
    expect(await read()).toEqual({
      places: ['index https://user.example/'],
      proxy: 'http://proxy.example:3128',
      certificates: '/srv/ca.pem',
    });
    write(
      'venv/pip.conf',
      '[download]\r\nextra-index-url =\r\n  https://one.example\r\n  ; no\r\n  https://two.example\r\n',
    );
    const { places } = await read({ VIRTUAL_ENV: join(home, 'venv'), PIP_INDEX_URL: 'https://variable.example' });
    expect(places).toEqual([
      'index https://variable.example/',
      'index https://one.example/',
      'index https://two.example/',
    ]);
    write('own.conf', '[global]\nindex-url = https://own.example\n[install]\nindex-url = https://install.example\n');
    const own = await read({ PIP_CONFIG_FILE: join(home, 'own.conf') });
    expect(own.places).toEqual(['index https://own.example/']);
    expect(own.certificates).toBeUndefined(); // the user's file is not read then
    expect((await read({ PIP_CONFIG_FILE: '/dev/null' })).proxy).toBeUndefined();
  });

  test('macOS and Windows have other files', async () => {
    write('Library/Application Support/pip/pip.conf', '[global]\nindex-url = https://mac.example\n');
    expect((await read({}, 'darwin')).places).toEqual(['index https://mac.example/']);
    write('roaming/pip/pip.ini', '[global]\nindex-url = https://windows.example\n');
    const { places } = await read({ APPDATA: join(home, 'roaming'), ProgramData: home }, 'win32');
    expect(places).toEqual(['index https://windows.example/']);
  });
});
