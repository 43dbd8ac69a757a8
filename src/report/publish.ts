import { homedir } from 'node:os';
import { basename, resolve } from 'node:path';
import { maskSecrets } from '../maskSecrets.js';
import { html } from './html.js';

/** An absolute path, but not the host or the path of a URL. Groups: the folders and the last part. */
const POSIX_PATH = /(?<![\w./~*-])\/(?!\/)(?:[^\s/"'<>&|;,()[\]{}]+\/)+([^\s/"'<>&|:;,()[\]{}]*)/g;
const WINDOWS_PATH = /(?<!\w)[a-z]:\\(?:[^\s\\"'<>&|;,]+\\)+([^\s\\"'<>&|:;,]*)/gi;

/** What may be shown in a page that people publish: markup whose texts tell neither secrets nor where things lie on
 *  this machine. Paths below a folder of `roots` become relative to it, those below the home folder begin with ~, and
 *  of other absolute paths the last part stays. */
export function publishable(markup: string, roots: readonly string[] = []): string {
  const prefixes = roots
    .filter((root) => root !== '')
    .map((root) => resolve(root))
    .sort((a, b) => b.length - a.length)
    .map((root): [path: string, inside: string, itself: string] => [root, '', basename(root)]);
  const known = [...prefixes, [homedir(), '~/', '~'] as const]
    .filter(([path]) => path.length > 1) // not "/" or ""
    .map((texts) => texts.map((text) => html`${text}`.markup) as [string, string, string]); // escaped as in the markup
  const shorten = (text: string): string => {
    let short = text.replaceAll('file:///', 'file:/');
    for (const [path, inside, itself] of known) {
      if (!short.includes(path)) continue;
      short = short.replaceAll(`${path}/`, inside).replaceAll(`${path}\\`, inside).replaceAll(path, itself);
    }
    return maskSecrets(short.replace(POSIX_PATH, '…/$1').replace(WINDOWS_PATH, '…/$1'));
  };
  // The style sheet and the tags stay; an alternative text is a text.
  return markup.replace(/<style>[^]*?<\/style>|<[^>]*>|[^<]+/g, (piece) => {
    if (!piece.startsWith('<')) return shorten(piece);
    return piece.replace(
      / (alt|title|aria-label)="([^"]*)"/g,
      (_, name: string, text: string) => ` ${name}="${shorten(text)}"`,
    );
  });
}
