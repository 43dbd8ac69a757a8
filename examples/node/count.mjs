/** Counts what is on photos: node count.mjs <run or model folder> <photo> … prints a line of JSON for each photo. */
import { openModel } from 'tfjs-finetune';

const [path, ...photos] = process.argv.slice(2);
if (path === undefined || photos.length === 0) {
  console.error('usage: node count.mjs <run or model folder> <photo> …');
  process.exit(2);
}
const model = await openModel(path);
let index = 0;
for await (const { predictions = [], error } of model.predictAll(photos)) {
  const counts = {};
  for (const { category = 'word' } of predictions) counts[category] = (counts[category] ?? 0) + 1;
  console.log(JSON.stringify({ photo: photos[index++], ...(error ? { error: error.message } : { counts }) }));
}
model.dispose();
