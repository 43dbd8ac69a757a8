import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

/** name → version → tarball. */
type Packages = Record<string, Record<string, Uint8Array>>;

export interface LocalRegistry {
  readonly url: string;
  readonly packages: Packages;
  close(): Promise<void>;
}

/** An npm registry on this machine with the given packages and no others. */
export async function openRegistry(packages: Packages): Promise<LocalRegistry> {
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const [name, file] = path.split('/-/');
    const versions = packages[name ?? ''];
    const archive = file && versions?.[file.replace('.tgz', '')];
    if (archive) return response.end(archive);
    if (!versions) return response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"not found"}');
    const manifest = (version: string, bytes: Uint8Array) => ({
      name,
      version,
      dist: {
        tarball: `${url}${path}/-/${version}.tgz`,
        integrity: `sha512-${createHash('sha512').update(bytes).digest('base64')}`,
      },
    });
    const entries = Object.entries(versions).map(([version, bytes]) => [version, manifest(version, bytes)]);
    const body = {
      name,
      'dist-tags': { latest: Object.keys(versions).at(-1) },
      versions: Object.fromEntries(entries) as object,
    };
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    url,
    packages,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** A .tgz with exactly these entries: no library would write the hostile ones. POSIX ustar. */
export function tarball(
  entries: readonly (readonly [path: string, content: string | { linkTo: string }])[],
): Uint8Array {
  const packageJson = ['package/package.json', '{"name":"x","version":"1.0.0"}'] as const;
  const blocks = [packageJson, ...entries].flatMap(([path, content]) => {
    const body = Buffer.from(typeof content === 'string' ? content : '');
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write('0000644\0', 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write(typeof content === 'string' ? '0' : '2', 156);
    if (typeof content !== 'string') header.write(content.linkTo, 157);
    header.write('ustar\x0000', 257);
    const checksum = header.reduce((sum, byte) => sum + byte, 0);
    header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
