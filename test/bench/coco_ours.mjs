/** Our side of coco.mjs: one evaluation, one line of JSON. Arguments: annotations, results. */
import { COCOeval, loadCoco, loadResFile } from '../../dist/pycocotools/index.js';

const [annotations, results] = process.argv.slice(2);
const gt = await loadCoco(annotations);
const run = new COCOeval(gt, await loadResFile(gt, results), 'bbox');
run.evaluate();
run.accumulate();
const stats = [...run.summarize()];
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
console.log(JSON.stringify({ stats, peakMB: maxRSS / 1024, cpu: (userCPUTime + systemCPUTime) / 1e6 }));
