/** What stands in the place of a secret. */
const MASK = '***';

const URLS = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"<>`]+/gi;
/** The user name and the password at the start of a URL, after `//`. A password may hold any character if no port can
 *  be meant. */
const USER = /^(?:[^/?#@:]*:(?!\d+(?:[/?#]|$)).*|[^/?#]+)(?=@)/;

/** Secrets outside of URLs: what comes before one, and the secret. Repetitions that another match could start in are
 *  bounded, so that a long text takes linear time. */
const PLACES: readonly RegExp[] = [
  /([?&#](?!sha256=)[\w.~%[\]-]{1,100}=)([^\s&#"<>`]+)/g,
  /(\b(?:bearer|basic)\s{1,10})([\w.~+/=-]{8,})/gi,
  /((?:_auth|_authToken|_password|x-api-key)["']?\s{0,10}[=:]\s{0,10})([^\s"<>`]+)/gi,
  /(\b(?:hf_|npm_|gh[opsu]_|github_pat_|glpat-|pypi-))([A-Za-z0-9_-]{16,})/g,
];

export interface MaskOptions {
  /** Keep the length of the text, so that a caret below it still points at the same word. */
  readonly sameLength?: boolean;
}

/** The text without the secrets that URLs and headers in it hold: user names and passwords, the values of query
 *  strings, fragments such as `#access_token=…`, and tokens of well-known sites. A masked text stays as it is when it
 *  is masked again. */
export function maskSecrets(text: string, { sameLength = false }: MaskOptions = {}): string {
  const hide = (secret: string): string => {
    const end = /[').,;:\]}]{0,10}$/.exec(secret)![0]; // punctuation of the sentence around the URL
    return sameLength ? '*'.repeat(secret.length - end.length) + end : MASK + end;
  };
  const maskUrl = (url: string): string => {
    const start = url.indexOf('://') + 3;
    const rest = url.slice(start).replace(USER, hide);
    const query = rest.replace(/(\?)([^=&#]+)(?=#|$)/, (_, mark: string, secret: string) => mark + hide(secret));
    return url.slice(0, start) + query;
  };
  const hidePlace = (_: string, before: string, secret: string): string => before + hide(secret);
  return PLACES.reduce((masked, place) => masked.replace(place, hidePlace), text.replace(URLS, maskUrl));
}

/** A URI of weights as it may be shown and kept. Paths of the local disk have no secrets, and may contain any
 *  character. */
export const maskUri = (uri: string): string => (/^(https?|hf|npm|pip):/i.test(uri) ? maskSecrets(uri) : uri);

/** Whether a secret of this URI was replaced by a mask. */
export const isMasked = (uri: string): boolean => /(:\/\/|[=?])\*{3}(?=[&#@]|$)/.test(uri) && maskUri(uri) === uri;
