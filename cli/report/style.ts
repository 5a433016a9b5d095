import { Markup } from './markup';

/** Colours keep a contrast of 4.5:1 and more on both grounds; a state is always written out too. */
export const STYLE = new Markup(`<style>
:root { color-scheme: light dark; --ground: #ffffff; --ink: #1c2430; --soft: #55606f; --line: #d5dae1; --panel: #f4f6f8;
  --good: #0b6b50; --bad: #b3202f; --open: #805b00; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181e; --ink: #e8ecf1; --soft: #a5b0be; --line: #343c47;
  --panel: #1d232b; --good: #5fd3ae; --bad: #ff8f98; --open: #f0c25a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; }
.soft, caption, .empty { color: var(--soft); }
.verdict { margin: 1rem 0; padding: .9rem 1.1rem; background: var(--panel); border-left: .4rem solid var(--good); }
.verdict.broken { border-left-color: var(--bad); }
.verdict strong { font-size: 1.35rem; }
.verdict ul { margin: .4rem 0 0; padding-left: 1.2rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; margin: 1rem 0; padding: 0; }
.figures div { background: var(--panel); padding: .7rem .9rem; }
.figures dt { color: var(--soft); font-size: .85rem; }
.figures dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums; }
.equation { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: baseline; padding: .9rem 1.1rem; background: var(--panel);
  font-variant-numeric: tabular-nums; }
.equation span { display: inline-flex; flex-direction: column; align-items: center; }
.equation b { font-size: 1.35rem; }
.equation small { color: var(--soft); }
.equation .sign { font-size: 1.35rem; align-self: flex-start; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .92rem; }
caption { text-align: left; padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line); }
thead th { font-weight: 600; white-space: nowrap; }
tbody th { font-weight: 500; }
td { font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
.scroll table { min-width: 40rem; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .open { color: var(--open); font-weight: 600; }
code { font: .88em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
figure { margin: .75rem 0; overflow-x: auto; }
figure svg { display: block; width: 100%; min-width: 44rem; height: auto; }
figcaption { font-weight: 600; font-size: .95rem; }
.key i { display: inline-block; width: 1.6rem; height: .6rem; margin: 0 .4rem 0 1rem; background: #2a9d8f; }
.key i.planned { margin-left: 0; background: repeating-linear-gradient(135deg, #8d99ae 0 3px, #c9d0db 3px 5px); }
.key i.failed { background: #d1495b; }
@media print { body { max-width: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
</style>`);
