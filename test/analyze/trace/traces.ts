import { expect } from 'vitest';
import type { HopRecord, TraceRecord } from '../../../src/analyze/trace/record.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { agentStream, analysedStream, shownOf } from '../../edge/agent-stream.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import type { TracedCapture } from '../../support/traced-capture.ts';

export const CLIENT = '10.244.1.9';
export const EDGE = '10.244.1.5';
export const WEB = '10.244.2.6';
export const SERVICE = '10.96.0.7';

const NAMES = { [CLIENT]: 'shop/client-1', [EDGE]: 'ingress/edge-1', [WEB]: 'shop/web-1', [SERVICE]: 'web.shop' };

export const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: web\r\n${headers}\r\n`;
export const ok = (body = 'hello') => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/**
 * The traces of a capture, as JSON has them: the same where every interface is of another node, and analysed there.
 * @param names of addresses, besides those of the tests
 */
export function tracesOf(capture: TracedCapture, names: Readonly<Record<string, string>> = {}): TraceRecord[] {
  const traces = localTracesOf(capture, names);
  expect(edgeTracesOf(capture, names).map(withoutFlows)).toEqual(traces.map(withoutFlows));
  return traces;
}

/** As tracesOf, where another node may have another part of what is found. */
export function localTracesOf(capture: TracedCapture, names: Readonly<Record<string, string>> = {}): TraceRecord[] {
  const { lines } = analysisLines(trace, capture.pcapng(), { ...NAMES, ...names });
  return lines.map((line) => JSON.parse(line) as TraceRecord);
}

/** The traces of a capture where every interface is of another node, and analysed there. */
export function edgeTracesOf(capture: TracedCapture, names: Readonly<Record<string, string>> = {}): TraceRecord[] {
  const bytes = capture.pcapng(LATER_MS);
  const edges = capture.interfaces.map((_name, own) =>
    analysedStream(
      agentStream(bytes, (id) => id === own),
      trace,
    ),
  );
  const lines = shownOf(trace, edges, true, undefined, undefined, { ...NAMES, ...names });
  return lines.filter((line) => !line.startsWith('#')).map((line) => JSON.parse(line) as TraceRecord);
}

/** How long all places go on after the last packet: else one ends before another one whose clock is ahead has begun. */
const LATER_MS = 2_000;

/** Flows are numbered in another order. */
function withoutFlows(record: TraceRecord): unknown {
  return JSON.parse(JSON.stringify(record, (name, value) => (name === 'flow' ? undefined : value)));
}

/** `shop/client-1 > shop/web-1 network 8`: a hop with its latency in ms. */
export const brief = ({ kind, from, to, latency }: HopRecord) =>
  `${from}${to === undefined ? '' : ` > ${to}`} ${kind} ${latency / 1e6}`;

export const sum = (hops: readonly HopRecord[]) => hops.reduce((total, { latency }) => total + latency, 0);
