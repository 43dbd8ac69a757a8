import { FinetuneError } from '../errors.js';
import { unsafeName } from '../safePath.js';

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Whether the server is this machine. */
export const isLoopback = ({ hostname }: URL): boolean => LOOPBACK.test(hostname);

/** Whether nobody between here and the server can change what comes. */
export const isPrivate = (url: URL): boolean => url.protocol === 'https:' || isLoopback(url);

/** Parses the URL of a download. `from` is the server that redirects to it, if one does. A URL is refused if it is not
 *  http: or https:, has a user name or a password, or ends in a name that no file may have: E_WEIGHTS_URI, or
 *  E_WEIGHTS_REDIRECT with `from`. */
export function parseUrl(text: string, from?: URL): URL {
  const refuse = (why: string, fix?: string): never => {
    const code = from ? 'E_WEIGHTS_REDIRECT' : 'E_WEIGHTS_URI';
    const message = `${from ? `${from.href} redirects to ` : ''}${text}${from ? ', which' : ''} cannot be fetched: ${why}`;
    throw new FinetuneError({ code, message, ...(fix && { fix }) });
  };
  if (!URL.canParse(text)) return refuse('it is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return refuse(`"${url.protocol}" is neither https: nor http:`);
  if (url.username !== '' || url.password !== '')
    return refuse('it has a user name or a password', 'download the file yourself and use file:');
  const name = decodedName(url);
  if (name === undefined) return refuse('its last part cannot be decoded');
  const why = name === '' ? undefined : unsafeName(name);
  return why === undefined ? url : refuse(`its last part cannot be the name of a file: ${why}`);
}

/** The name of the file behind a URL that `parseUrl` returned; an empty text if the URL ends with a slash. */
export const fileName = (url: URL): string => decodedName(url) ?? '';

function decodedName({ pathname }: URL): string | undefined {
  try {
    return decodeURIComponent(pathname.slice(pathname.lastIndexOf('/') + 1));
  } catch {
    return undefined;
  }
}
