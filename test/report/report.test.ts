import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parseXml, XmlElement } from '@rgrove/parse-xml';
import type { Report } from '../../src/report/report.js';
import { writeReport } from '../../src/report/writeReport.js';
import { fakeExample, fakeReport, fakeSections } from './fakeReport.js';

let dir: string;
let report: Report;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'report-'));
  report = await fakeReport(dir);
});
afterAll(() => rm(dir, { recursive: true }));

async function write(changes: Partial<Report> = {}): Promise<string> {
  const file = join(dir, 'report.html');
  await writeReport({ ...report, ...changes }, file);
  return readFile(file, 'utf8');
}

/** The page as a tree; throws where a tag is left open or an attribute escapes its quotes. */
function tree(page: string): XmlElement {
  return parseXml(page.replace('<!doctype html>', '')).root!;
}

function elements(from: XmlElement): XmlElement[] {
  const children = from.children.filter((child): child is XmlElement => child instanceof XmlElement);
  return [from, ...children.flatMap(elements)];
}

describe('writeReport', () => {
  test('leaves one file that needs nothing from outside and runs nothing', async () => {
    const page = await write();
    expect(await readdir(dir)).toEqual(['1.png', '2.png', 'report.html']);
    const all = elements(tree(page));
    const ids = all.flatMap(({ attributes }) => attributes['id'] ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, attributes } of all) {
      expect(name).not.toMatch(/^(script|link|iframe|object)$/);
      for (const [key, value] of Object.entries(attributes)) {
        expect(key).not.toMatch(/^on/);
        if (/href|src/.test(key)) expect(value).toMatch(/^(#|data:image\/jpeg;base64,)/);
      }
    }
    expect(page).not.toMatch(/@import|url\((?!#)/);
  });

  test('says every score, and a dash where pycocotools says -1', async () => {
    const cells = elements(tree(await write())).filter(({ name }) => name === 'td');
    const texts = cells.map(({ text }) => text);
    for (const score of ['0.420', '0.684', '0.433', '0.391', '0.502', '0.301', '0.440', '0.461', '0.550', '310', '44'])
      expect(texts).toContain(score);
    expect(texts.filter((text) => text === '–')).toHaveLength(2);
    expect(texts.filter((text) => text.includes('-1'))).toEqual([]);
  });

  test('escapes every text', async () => {
    const evil = `"><script>alert(1)</script>'&amp;`;
    const example = await fakeExample(dir, 1);
    const page = await write({
      ...{ title: evil, headline: evil, recipeText: evil, notes: [evil], versions: { [evil]: evil } },
      dropped: { [evil]: { [evil]: 1 } },
      freeze: { ...report.freeze!, before: evil, after: evil, names: [evil] },
      counts: { [evil]: { train: 1, val: 1 } },
      metrics: { ...report.metrics, engine: evil },
      lines: [{ type: 'epoch', epoch: 1, step: 9, trainLoss: 1, valLoss: 1, metric: { [evil]: 0.5 }, seconds: 1 }],
      sections: fakeSections(
        [
          {
            ...example,
            imageId: evil,
            caption: evil,
            truth: [{ ...example.truth[0]!, label: evil }],
            predictions: [{ ...example.predictions[0]!, label: evil }],
          },
        ],
        { perCategory: [{ id: 1, name: evil, AP: 0.5, AP50: 0.5 }] },
      ),
    });
    const all = elements(tree(page));
    expect(all.filter(({ name }) => name === 'script')).toEqual([]);
    expect(all.find(({ name }) => name === 'h1')!.text).toBe(evil);
    expect(tree(page).text.split(evil).length).toBeGreaterThan(15);
  });

  test('puts the worst image first', async () => {
    const page = await write();
    const captions = elements(tree(page)).filter(({ name }) => name === 'figcaption');
    expect(captions.map(({ text }) => text)).toEqual([
      '2.png (id 2) 2 of 3 objects missed',
      '1.png (id 1) 2 of 3 objects missed',
    ]);
  });

  test('says when nothing was dropped, frozen or trained, and when a frozen tensor changed', async () => {
    const bare = await write({ dropped: { train: {}, val: { 'box has no area': 0 } }, freeze: undefined, lines: [] });
    for (const text of ['Nothing was dropped.', 'Nothing was frozen.', 'Nothing was trained.'])
      expect(bare).toContain(text);
    const full = await write();
    expect(full).toContain('box has no area');
    expect(full).toContain('Unchanged.');
    expect(await write({ freeze: { ...report.freeze!, after: 'sha256:0' } })).toContain('Changed!');
  });
});
