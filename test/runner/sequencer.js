/** The files that take longest, longest first. Jest knows durations only from earlier runs, and in a fresh clone it would
 *  leave some of these to the end, where one worker runs them while the other waits. */
const LONGEST = [
  'train/kill',
  'train/run',
  'train/faults',
  'models/equality',
  'export/exportModel',
  'graph/gradients',
  'export/targets',
  'api/openModel',
  'train/text',
  'trials/trials',
  'docs/snippets',
  'cli/sameMistake',
  'browser/bundle',
  'train/regimes',
];

/** Orders the test files: the longest first, then the largest. */
export default class LongestFirst {
  sort(tests) {
    const rank = ({ path }) => {
      const place = LONGEST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
      return place < 0 ? LONGEST.length : place;
    };
    const size = ({ context, path }) => context.hasteFS.getSize(path) ?? 0;
    return [...tests].sort((one, other) => rank(one) - rank(other) || size(other) - size(one));
  }

  shard(tests, { shardIndex, shardCount }) {
    return tests.filter((_, i) => i % shardCount === shardIndex - 1);
  }

  allFailedTests(tests) {
    return tests;
  }

  cacheResults() {}
}
