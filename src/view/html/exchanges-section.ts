import type { HopRecord, TraceRecord } from '../../analyze/trace/record.ts';
import { incompleteText } from '../event-line.ts';
import { addressOf, peerName } from '../peer-text.ts';
import { clockText } from '../time-text.ts';
import { connectText, HOP_KINDS, waysText } from '../trace-lines.ts';
import { counted, grouped, latencyText } from '../units.ts';
import { type Html, html } from './html.ts';

const WIDTH = 1000;

/** The slowest requests of clients, and requests and connections that failed, each with where its time went. */
export function exchangesSection(
  slowest: readonly TraceRecord[],
  failed: readonly TraceRecord[],
  failures: number,
  utc: boolean,
): Html {
  const rest = failures - failed.length;
  return html`
<section aria-labelledby="h-slowest"><h2 id="h-slowest">Slowest requests</h2>
${slowest.length === 0 ? html`<p>There is no complete request.</p>` : slowest.map((trace) => traceHtml(trace, utc))}
</section>
<section aria-labelledby="h-failed"><h2 id="h-failed">Failed requests and connections</h2>
${failed.length === 0 ? html`<p>None.</p>` : failed.map((trace) => traceHtml(trace, utc))}
${rest > 0 ? html`<p class="dim">and ${grouped(rest)} more that failed: --where failed shows them</p>` : undefined}
</section>`;
}

function traceHtml(trace: TraceRecord, utc: boolean): Html {
  const { label, status, failed, total, latency, src, dst, hops, flow } = trace;
  const missing = incompleteText({ ...trace, kind: 'exchange' });
  const result = [status ?? '', missing === '' ? '' : `[${missing}]`].filter((text) => text !== '').join(' ');
  const took = total ?? latency;
  return html`<details class="exchange">
<summary><span class="mono">${clockText(trace.time, utc)}</span> <strong>${label}</strong> <span class="${failed ? 'bad' : 'dim'}">${failed ? 'failed ' : ''}${result}</span> ${took === undefined ? '' : tookText(took, trace)}
<span class="dim">${peerText(src)} → ${peerText(dst)}, flow ${flow}</span></summary>
${total === undefined || hops.length === 0 ? withoutTimes(trace) : waterfallHtml(trace, total)}
</details>`;
}

/** The answer to a request whose pair is not proven is its own or an earlier one's. */
function tookText(took: number, { incomplete }: TraceRecord): string {
  return `${incomplete === 'unknown' ? 'at least ' : ''}${latencyText(took)}`;
}

/** Of a connection that did not come up: how far its SYNs came, and what the kernel counted meanwhile. */
function withoutTimes({ connect }: TraceRecord): Html {
  if (connect === undefined) {
    return html`<p>Where the time went is not known: the request or its response is not complete here.</p>`;
  }
  const { outcome, counters = [] } = connect;
  return html`<p>The connection did not come up (${outcome}): ${connectText(connect)}.</p>
${counters.length === 0 ? undefined : html`<ul>${counters.map(({ place, counter, change }) => html`<li>${counter} rose by ${grouped(change)} at ${place}</li>`)}</ul>`}`;
}

function waterfallHtml({ hops, slowest }: TraceRecord, total: number): Html {
  let begin = 0;
  // A call begins with the sending of its request, which is not shown where that took no time.
  let isNew = false;
  const rows = hops.map((hop, index) => {
    isNew ||= hop.kind === 'request';
    // Parts that took no time say nothing; of a network hop they may have been lost there.
    const isShown = hop.latency > 0 || hop.kind === 'network';
    const label = isNew && hop.depth > 0 ? hop.label : '';
    const row = isShown ? hopHtml({ hop, label, begin, total, isSlowest: index === slowest }) : html``;
    if (isShown) isNew = false;
    begin += hop.latency;
    return row;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Where the time went">
<table><caption>Where the time went</caption><thead><tr><th scope="col">Hop</th><th scope="col">Kind</th><th scope="col" class="n">Time</th><th scope="col">Course</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

interface Row {
  readonly hop: HopRecord;
  /** Of the call that begins here; empty where none does. */
  readonly label: string;
  /** ns since the request's first byte, and until the response's last one */
  readonly begin: number;
  readonly total: number;
  readonly isSlowest: boolean;
}

function hopHtml({ hop, label, begin, total, isSlowest }: Row): Html {
  const { from, to, kind, depth, latency, lost, confidence, service, calls, oneWay } = hop;
  const names = `${'\u2003'.repeat(Math.min(depth, 8))}${from}${to === undefined ? '' : ` → ${to}`}`;
  const remarks = [
    label,
    oneWay === undefined ? '' : waysText(oneWay),
    service === undefined ? '' : `through ${service}`,
    ...lost.map(
      ({ count, of, after }) =>
        `${counted(count, 'segment')} of the ${of} lost, retransmitted after ${latencyText(after)}`,
    ),
    confidence === 'likely' ? 'likely' : '',
    isSlowest ? 'slowest' : '',
  ].filter((text) => text !== '');
  const [x, width] = total === 0 ? [0, 0] : [(begin / total) * WIDTH, Math.max(3, (latency / total) * WIDTH)];
  return html`<tr><td class="name">${names}</td><td class="t">${calls === undefined ? HOP_KINDS[kind] : counted(calls, 'call')}</td><td class="n">${latencyText(latency)}</td><td><svg class="fall" viewBox="0 0 ${WIDTH} 14" preserveAspectRatio="none" aria-hidden="true"><rect class="${isSlowest ? 'slow' : 'bar'}" x="${Math.round(x)}" y="1" width="${Math.round(width)}" height="12"/></svg>${remarks.join('; ')}</td></tr>`;
}

function peerText(peer: TraceRecord['src']): string {
  return peer === undefined ? '?' : (peerName(peer) ?? addressOf(peer));
}
