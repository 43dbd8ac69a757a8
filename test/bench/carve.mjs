/** The steps of docs/talk.md from MobileNetV2's table to one of one's own: prints the backbone of a step as a map for
 *  `--set model.backbone=…`, or with --recipe as a file for `finetune models`.
 *
 *      node test/bench/carve.mjs STEP [--recipe] */
const [step, form] = [Number(process.argv[2]), process.argv[3]];

/** MobileNetV2's rows, in blocks: whether the map shrinks, and the channels. */
const published = [16, 24, 24, 32, 32, 32, 64, 64, 64, 64, 96, 96, 96, 160, 160, 160, 320];
const shrinks = [1, 3, 6, 13];
/** Channels that grow by the same number from block to block, from the published first. */
const at = (last, i) => 16 + ((last - 16) * i) / (published.length - 1);
const rounded = (value) => 4 * Math.round(value / 4);
const linear = (last) => published.map((_, i) => rounded(at(last, i)));
/** The same from group to group of blocks, so that all but the first of a group can have a shortcut. */
const groups = [[0], [1, 2], [3, 4, 5], [6, 7], [8, 9], [10, 11, 12], [13, 14], [15, 16]];
const grouped = (last) =>
  groups.flatMap((blocks) => blocks.map(() => rounded(at(last, (blocks[0] + blocks.at(-1)) / 2))));

/** What each step has, by what the step before taught; the last spends what cheaper large maps save on wider small ones, for as many
 *  milliseconds as the first takes. */
const steps = [
  { channels: published },
  { channels: linear(132) },
  { channels: grouped(140) },
  { channels: grouped(140), activation: 'swish' },
  { channels: grouped(164), stem: 24, early: 3 },
];
const { channels, activation = 'relu6', se, stem = 32, early = 6 } = steps[step];
const expansionOf = (i) => (i === 0 ? 1 : i < shrinks[1] ? early : 6);
const rows = channels.map((width, i) => ({
  operator: 'bottleneck',
  expansion: expansionOf(i),
  channels: width,
  stride: shrinks.includes(i) ? 2 : 1,
  ...(se && i >= shrinks[1] && { se }),
}));
const backbone = { name: `carve-${step}`, stem, activation, rows, head: 1280 };
console.log(JSON.stringify(form === '--recipe' ? { model: { backbone } } : backbone));
