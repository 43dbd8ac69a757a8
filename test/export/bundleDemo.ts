/** Makes dist/demo/ of the sources, as `npm run build` does: the sources may be newer. */
export const bundleDemo = (): Promise<unknown> => import(new URL('../../src/demo/bundle.mjs', import.meta.url).href);
