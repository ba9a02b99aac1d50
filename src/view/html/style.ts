/** The style sheet of the report. Colours: dark blue and vermillion, which colour-blind people tell apart; failures have a word or a dash as well. */
export const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#57606a;--line:#d0d7de;--soft:#f4f6f8;--ok:#0b5fad;--p50:#0b5fad;--p99:#8a4b00;--bad:#b3261e;--warn:#7a4b00;--node:#eef4fb}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e9ec;--dim:#a3adb8;--line:#39414a;--soft:#1d2226;--ok:#6cb6ff;--p50:#6cb6ff;--p99:#f0b060;--bad:#ff8b7e;--warn:#f0b060;--node:#1c2a38}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:80rem;background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}h3{font-size:1rem;margin:1rem 0 .3rem}
p,ul{margin:.4rem 0}nav a{margin-right:.9rem;display:inline-block}a{color:var(--ok)}
code,pre,.mono{font-family:ui-monospace,monospace;font-size:.88em}
pre{white-space:pre-wrap;background:var(--soft);padding:.5rem;margin:.3rem 0}
.dim{color:var(--dim)}.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}
.scroll{overflow-x:auto;max-width:100%;margin:.7rem 0}
.scroll:focus-visible,button:focus-visible,summary:focus-visible,input:focus-visible,a:focus-visible{outline:3px solid var(--ok);outline-offset:1px}
table{border-collapse:collapse;font-size:.88rem;min-width:100%}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th.n{text-align:right;vertical-align:bottom}th{vertical-align:bottom}td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
th,td.n,td.t{overflow-wrap:normal}td.name{min-width:9rem}
th button{all:unset;cursor:pointer;font-weight:600}th button::after{content:" \\2195";color:var(--dim)}
th[aria-sort=ascending] button::after{content:" \\2191"}th[aria-sort=descending] button::after{content:" \\2193"}
label.filter{display:block;margin:.3rem 0;font-size:.88rem}label.filter input{font:inherit;padding:.2rem .4rem;max-width:100%;background:var(--bg);color:var(--fg);border:1px solid var(--dim);border-radius:3px}
details{border:1px solid var(--line);border-radius:5px;margin:.4rem 0;padding:.4rem .7rem}
summary{cursor:pointer}
details.error{border-left:6px solid var(--bad)}details.warning{border-left:6px dashed var(--warn)}
svg{display:block;max-width:none}svg text{fill:var(--fg);font:12px system-ui,sans-serif}
.chart{width:100%;height:110px;background:var(--soft);border-bottom:1px solid var(--dim)}
.bar{fill:var(--ok)}.barbad{fill:var(--bad)}
.l50,.l99{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}.l50{stroke:var(--p50)}.l99{stroke:var(--p99);stroke-dasharray:6 3}
.k50{color:var(--p50)}.k99{color:var(--p99)}.kbad{color:var(--bad)}.kok{color:var(--ok)}
.axis{display:flex;justify-content:space-between;font-size:.8rem;color:var(--dim)}
.node rect{fill:var(--node);stroke:var(--ok);stroke-width:1.5}.edge path{fill:none;stroke:var(--dim);stroke-width:1.5}
.edge.fails path{stroke:var(--bad);stroke-dasharray:7 4;stroke-width:2.5}.node text{font:12px system-ui,sans-serif;fill:var(--fg)}.edge text{font:11px system-ui,sans-serif;fill:var(--fg)}.edge rect{fill:var(--bg)}.edge.quiet:focus{outline:none}.edge .hit,.edge.fails .hit{stroke:transparent;stroke-width:9;stroke-dasharray:none}
.more{visibility:hidden;pointer-events:none}.edge:hover .more,.edge:focus .more{visibility:visible}.edge.quiet:hover path:not(.hit),.edge.quiet:focus path:not(.hit){stroke-width:4;stroke:var(--fg)}svg:has(.quiet:hover,.quiet:focus) .edge:not(:hover,:focus){opacity:.15}
.paper{display:none}
.edge.fails text{fill:var(--bad)}.tip{fill:var(--dim)}.edge.fails .tip{fill:var(--bad)}
.fall{width:100%;min-width:8rem;height:14px;background:var(--soft)}.fall .bar{fill:var(--ok)}.fall .slow{fill:var(--bad)}
@media (max-width:40rem){body{padding:.6rem}td.name{min-width:6rem}}
@media print{body{max-width:none;font-size:11pt}nav,label.filter{display:none}.scroll{overflow:visible}table{font-size:7pt;width:100%}th,td{padding-right:.3rem}td.name{min-width:3.6rem}.fall{min-width:4rem}.scroll.map{display:none}.paper{display:block;max-width:100%;height:auto;margin:0 0 .5rem}details{break-inside:avoid}details::details-content{display:block;content-visibility:visible;height:auto}th button::after{content:""}}
`;
