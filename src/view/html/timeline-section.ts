import type { TimelineReport } from '../../analyze/summary/timeline.ts';
import { rateText } from '../summary-tables.ts';
import { clockText } from '../time-text.ts';
import { byteSize, counted, grouped, latencyText, timeSpan } from '../units.ts';
import { type Html, html } from './html.ts';

const WIDTH = 1000;
const HEIGHT = 100;

/** Requests, latency and bytes over time, drawn as SVG. @param timeText RFC 3339 of ns since the first packet */
export function timelineSection(
  { length, periods }: TimelineReport,
  timeText: (time: number) => string,
  utc: boolean,
): Html {
  if (periods.length === 0) return html``;
  const step = WIDTH / periods.length;
  const seconds = length / 1e9;
  const span = [clockText(timeText(0), utc), clockText(timeText(length * periods.length), utc)] as const;
  const most = Math.max(1, ...periods.map(({ count }) => count));
  const bars = periods.flatMap(({ count, failed }, index) =>
    count === 0
      ? []
      : [bar(index, step, count / most, 'bar'), ...(failed > 0 ? [bar(index, step, failed / most, 'barbad')] : [])],
  );
  const slowest = Math.max(0, ...periods.map(({ p99 }) => p99 ?? 0));
  const bytes = Math.max(1, ...periods.map((period) => period.bytes));
  const resent = Math.max(0, ...periods.map(({ retransmissions }) => retransmissions));
  const failed = periods.reduce((sum, period) => sum + period.failed, 0);
  const total = periods.reduce((sum, period) => sum + period.count, 0);
  return html`
<section aria-labelledby="h-timelines"><h2 id="h-timelines">Timelines</h2>
<p class="dim">One step is ${timeSpan(length / 1e6)}. An exchange counts at the time of its request.</p>
${total === 0 ? html`<p class="dim">There are no requests.</p>` : undefined}
${
  total === 0
    ? undefined
    : chart(
        html`Requests: <span class="kok">■ all</span> <span class="kbad">■ failed</span>, at most ${rateText(most / seconds)}`,
        `${counted(total, 'request')}, of which ${grouped(failed)} failed, over time`,
        bars,
        span,
      )
}
${slowest === 0 ? html`<p class="dim">No exchange is complete: there are no latencies.</p>` : undefined}
${
  slowest === 0
    ? undefined
    : chart(
        html`Latency where the packets prove it: <span class="k50">— p50</span> <span class="k99">- - p99</span>, at most ${latencyText(slowest)}`,
        'percentiles of the latency over time',
        [
          lines(
            periods.map(({ p50 }) => p50),
            slowest,
            'l50',
          ),
          lines(
            periods.map(({ p99 }) => p99),
            slowest,
            'l99',
          ),
        ],
        span,
      )
}
${chart(
  html`Bytes on the wire, at most ${byteSize(Math.round(bytes / seconds))}/s`,
  'bytes over time',
  periods.flatMap((period, index) => (period.bytes === 0 ? [] : [bar(index, step, period.bytes / bytes, 'bar')])),
  span,
)}
${resent === 0 ? html`<p class="dim">No TCP segment was retransmitted.</p>` : retransmissionChart(periods, resent, seconds, span)}
</section>`;
}

/** @param most in one period @param seconds of a period */
function retransmissionChart(
  periods: TimelineReport['periods'],
  most: number,
  seconds: number,
  span: readonly [string, string],
): Html {
  const step = WIDTH / periods.length;
  const total = periods.reduce((sum, { retransmissions }) => sum + retransmissions, 0);
  return chart(
    html`TCP retransmissions, at most ${rateText(most / seconds)}`,
    `${counted(total, 'TCP retransmission')} over time`,
    periods.flatMap(({ retransmissions }, index) =>
      retransmissions === 0 ? [] : [bar(index, step, retransmissions / most, 'barbad')],
    ),
    span,
  );
}

function chart(title: Html, about: string, shapes: readonly Html[], [from, to]: readonly [string, string]): Html {
  return html`<h3>${title}</h3>
<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${about}">${shapes}</svg>
<div class="axis"><span>${from}</span><span>${to}</span></div>`;
}

function bar(index: number, step: number, share: number, kind: string): Html {
  const height = Math.max(1, share * HEIGHT);
  const [x, y] = [index * step, HEIGHT - height];
  return html`<rect class="${kind}" x="${round(x)}" y="${round(y)}" width="${round(Math.max(1, step * 0.9))}" height="${round(height)}"/>`;
}

/** A line through what is known; a period alone is a short line. */
function lines(values: readonly (number | undefined)[], most: number, kind: string): Html {
  const step = WIDTH / values.length;
  let path = '';
  let isOn = false;
  for (const [index, value] of values.entries()) {
    if (value === undefined) {
      isOn = false;
      continue;
    }
    const y = round(HEIGHT - (value / most) * (HEIGHT - 4) - 2);
    path += `${isOn ? 'L' : 'M'}${round(index * step)} ${y}H${round((index + 1) * step)}`;
    isOn = true;
  }
  return html`<path class="${kind}" d="${path}"/>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
