/** The command's side of coco.mjs: `finetune score coco --json` as a user starts it, and what it took. Arguments: annotations, results. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [annotations, results] = process.argv.slice(2);
const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const args = [main, 'score', 'coco', '--gt', annotations, '--dt', results, '--json'];
// The command reports its own use of the machine when it exits.
const report = `process.on('exit', () => process.stderr.write('usage ' + JSON.stringify(process.resourceUsage()) + '\\n'))`;
const { stdout, stderr, status } = spawnSync(
  process.execPath,
  ['--import', `data:text/javascript,${encodeURIComponent(report)}`, ...args],
  { encoding: 'utf8' },
);
if (status !== 0) throw new Error(stderr);
const score = JSON.parse(stdout);
const usage = JSON.parse(/^usage (.*)$/m.exec(stderr)[1]);
const stats = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'].map(
  (name) => score[name],
);
console.log(
  JSON.stringify({ stats, peakMB: usage.maxRSS / 1024, cpu: (usage.userCPUTime + usage.systemCPUTime) / 1e6 }),
);
