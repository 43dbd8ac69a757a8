import { readFileSync } from 'node:fs';
import { isLoopback } from './url.js';

/** How to reach a server. */
export interface Route {
  /** Proxies for addresses with http: and https:, and the hosts that need none, separated by commas. */
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
  /** File with the certificates to trust instead of those of Node. */
  readonly certificates?: string | undefined;
}

/** Sends one GET request, and follows no redirect. */
export type Fetch = (url: URL, init: { headers: Record<string, string>; signal: AbortSignal }) => Promise<Response>;

/** The route that the environment names: HTTP_PROXY, HTTPS_PROXY, NO_PROXY, also in small letters, or what npm passes on of its
 *  own settings. */
export function routeOf(env: NodeJS.ProcessEnv): Route {
  const read = (...names: string[]): string | undefined => names.map((name) => env[name]).find((value) => value);
  return {
    httpProxy: read('http_proxy', 'HTTP_PROXY', 'npm_config_proxy'),
    httpsProxy: read('https_proxy', 'HTTPS_PROXY', 'npm_config_https_proxy', 'npm_config_proxy'),
    noProxy: read('no_proxy', 'NO_PROXY', 'npm_config_noproxy'),
  };
}

const direct: Fetch = (url, init) => fetch(url, { ...init, redirect: 'manual' });

/** Returns the fetch for a route. That of Node, before version 24, takes neither a proxy nor certificates; undici's does. A
 *  server on this machine is always asked directly. */
export function fetchVia(route: Route): Fetch {
  const throughs = new Map<string | undefined, Promise<Fetch>>();
  return async (url, init) => {
    const wanted = url.protocol === 'https:' ? route.httpsProxy : route.httpProxy;
    const proxy = isExempt(url, route.noProxy) ? undefined : wanted;
    if (isLoopback(url) || (proxy === undefined && route.certificates === undefined)) return direct(url, init);
    const through = throughs.get(proxy) ?? makeFetch(proxy, route);
    throughs.set(proxy, through);
    return (await through)(url, init);
  };
}

async function makeFetch(proxy: string | undefined, { certificates }: Route): Promise<Fetch> {
  const { Agent, ProxyAgent, fetch: fetchThrough } = await import('undici');
  const tls = certificates === undefined ? {} : { ca: readFileSync(certificates) };
  const dispatcher =
    proxy === undefined ? new Agent({ connect: tls }) : new ProxyAgent({ uri: proxy, requestTls: tls, proxyTls: tls });
  return async (url, init) =>
    (await fetchThrough(url, { ...init, redirect: 'manual', dispatcher })) as unknown as Response;
}

/** Whether NO_PROXY names this host: `*`, or names with or without a port, which hold for their subdomains too. */
function isExempt({ hostname, port, protocol }: URL, noProxy = ''): boolean {
  const usual = protocol === 'https:' ? '443' : '80';
  return noProxy.split(/[,\s]+/).some((entry) => {
    const [, name = '', only] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
    if (entry === '*') return true;
    const isHost = name !== '' && (hostname === name || hostname.endsWith(`.${name}`));
    return isHost && (only === undefined || only === (port || usual));
  });
}
