/** The report's style sheet: one column that fits a phone, light and dark colours, and rules for printing. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #5c6670; --line: #d9dee3; --panel: #f4f6f8; --good: #15803d; --bad: #c81e1e;
  --curve-1: #2563eb; --curve-1-soft: #93b4f3; --curve-2: #e8590c;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e6e9ec; --soft: #9aa5b1; --line: #343b43; --panel: #1e2329; --good: #4ade80; --bad: #ff7b72;
    --curve-1: #6ea8ff; --curve-1-soft: #3c5f94; --curve-2: #ff9a52;
  }
}
* { box-sizing: border-box; }
body { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .6rem; padding-bottom: .25rem; border-bottom: 1px solid var(--line); font-size: 1.2rem; }
h3 { margin: 0 0 .3rem; font-size: .95rem; }
h4 { margin: 0 0 .25rem; font-size: .85rem; }
p { margin: .4rem 0; }
small, .small, figcaption { color: var(--soft); font-size: .85rem; font-weight: normal; }
figcaption b { color: var(--ink); margin-right: .4em; }
.headline { font-size: 1.15rem; }
.good { color: var(--good); } .bad { color: var(--bad); }
.facts { display: grid; grid-template-columns: repeat(5, 1fr); gap: .6rem; margin: 1rem 0; }
.facts div { padding: .5rem .75rem; border-radius: .5rem; background: var(--panel); }
.facts div:last-child { grid-column: span 2; }
.facts dt { color: var(--soft); font-size: .8rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.notes { margin: 1rem 0; padding: .6rem 1rem .6rem 2rem; border-left: .25rem solid var(--curve-2); background: var(--panel); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .4rem; border-bottom: 1px solid var(--line); text-align: right; }
th { font-weight: 500; } th[scope=col] { color: var(--soft); font-size: .8rem; vertical-align: bottom; }
th[scope=row], th[scope=col]:first-child, .text.text { text-align: left; overflow-wrap: break-word; } code { overflow-wrap: anywhere; }
section { overflow-x: auto; }
.matrix td { text-align: center; min-width: 2.5rem; } .matrix th[scope=col] { text-align: center; }
.score td { font-size: 1.05rem; }
.bar { width: 38%; } .bar i { display: block; height: .7rem; border-radius: .2rem; background: var(--curve-1); }
.dot { display: inline-block; width: .7em; height: .7em; margin-right: .5em; border: 1px solid #0006; border-radius: 50%; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1.5rem; }
figure { margin: 0; break-inside: avoid; }
.chart svg, .pair svg, .draws svg { display: block; width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin: .3rem 0 1.75rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; margin-top: .75rem; }
.gallery img { display: block; max-width: 100%; height: 9rem; object-fit: contain; border-radius: .3rem; background: var(--panel); }
.gallery figcaption { overflow-wrap: anywhere; }
p + figure { margin-top: 1.25rem; }
.pair svg { border-radius: .3rem; background: var(--panel); }
.draws { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: .75rem; margin: .3rem 0 1.75rem; }
:is(.pair, .draws) rect:not(.plate) { fill: none; stroke-width: 2.5; } :is(.pair, .draws) rect.halo { stroke: #000; stroke-opacity: .55; stroke-width: 4.5; }
:is(.pair, .draws) text { font: 600 13px system-ui, sans-serif; }
pre { margin: 0; padding: .75rem; overflow-x: auto; border-radius: .5rem; background: var(--panel); font-size: .8rem; line-height: 1.45; }
code { font-size: .8rem; }
@media (max-width: 40rem) {
  body { padding-top: 1rem; }
  table { font-size: .85rem; } th, td { padding: .25rem; } .score td { font-size: .9rem; } .bar { width: 16%; }
  .facts { grid-template-columns: 1fr 1fr; } .dot { margin-right: .3em; }
  .pair { grid-template-columns: 1fr; }
}
@media print {
  :root { color-scheme: light; print-color-adjust: exact; }
  body { max-width: none; padding: 0; font-size: 11pt; }
  h2, h3, h4, figcaption { break-after: avoid; } tr { break-inside: avoid; } section { overflow: visible; } pre { white-space: pre-wrap; }
}
`;
