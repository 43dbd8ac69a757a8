import { transformFile } from '@swc/core';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Module hooks of Node: the sources and tests are compiled with swc when they are imported, and `./x.js` means `./x.ts`. */
const OPTIONS = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'es6' },
  sourceMaps: 'inline',
  configFile: false,
  swcrc: false,
};

const isTypeScript = (url) => /\.ts($|\?)/.test(url);
const found = (url) => ({ url, format: 'module', shortCircuit: true });

export async function resolve(specifier, context, next) {
  const { parentURL = '' } = context;
  if (specifier === '@jest/globals') {
    // A test file gets a copy of its own, which cleans up after it. Modules that several tests share get one copy.
    const { href } = new URL('globals.js', import.meta.url);
    return found(/\.test\.ts/.test(parentURL) ? `${href}?${encodeURIComponent(parentURL)}` : href);
  }
  if (isTypeScript(specifier)) return found(new URL(specifier, parentURL || undefined).href);
  if (isTypeScript(parentURL) && /^\.{1,2}\/.*\.js$/.test(specifier)) {
    const source = new URL(specifier.replace(/\.js$/, '.ts'), parentURL);
    if (existsSync(source)) return found(source.href);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!isTypeScript(url)) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), OPTIONS);
  return { format: 'module', source: code, shortCircuit: true };
}
