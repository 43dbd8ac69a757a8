import { expect, test } from '@jest/globals';
import { homedir } from 'node:os';
import { html } from '../../src/report/html.js';
import { page } from '../../src/report/page.js';
import { publishable } from '../../src/report/publish.js';

test.each([
  ['/data/My & Set/train/a b.jpg', 'train/a b.jpg'],
  ['root: /data/My & Set', 'root: My & Set'],
  [`${homedir()}/runs/x.html`, '~/runs/x.html'],
  ['/mnt/disk/of me/x.jpg: broken', '…/of me/x.jpg: broken'],
  ['see /mnt/disk/x.jpg, and run:/mnt/runs/a or file:///mnt/w.pth', 'see …/x.jpg, and run:…/a or file:…/w.pth'],
  ['C:\\Users\\me\\x.jpg', '…/x.jpg'],
  ['https://host/a/b.pth?token=SECRET', 'https://host/a/b.pth?token=***'],
  ['loss, train / val; 1/2, n/a, and/or', 'loss, train / val; 1/2, n/a, and/or'],
])('%j', (text, published) => {
  const shown = html`<p>${text}</p>`.markup;
  expect(publishable(shown, ['/data/My & Set', ''])).toBe(html`<p>${published}</p>`.markup);
});

test('pictures, charts and the style stay, alternative texts do not', () => {
  const markup =
    '<img src="data:image/png;base64,/9j/4AAQ/x" alt="/a/b/c.jpg" /><path d="M0,0/1/2" /><style>/*a*//b/c/d</style>';
  expect(publishable(markup)).toBe(markup.replace('/a/b/c.jpg', '…/c.jpg'));
});

test('every page is publishable', () => {
  const text = page({ title: '/mnt/x/run', lead: html`${'/mnt/x/y'}`, roots: ['/data'] }, html`<p>${'/data/z'}</p>`);
  expect(text).not.toMatch(/mnt|data/);
});
