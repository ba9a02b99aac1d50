import type { HopRecord, TraceRecord } from '../../../src/analyze/trace/record.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import type { TracedCapture } from '../../support/traced-capture.ts';

export const CLIENT = '10.244.1.9';
export const EDGE = '10.244.1.5';
export const WEB = '10.244.2.6';
export const SERVICE = '10.96.0.7';

const NAMES = { [CLIENT]: 'shop/client-1', [EDGE]: 'ingress/edge-1', [WEB]: 'shop/web-1', [SERVICE]: 'web.shop' };

export const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nHost: web\r\n${headers}\r\n`;
export const ok = (body = 'hello') => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** The traces of a capture, as JSON has them. @param names of addresses, besides those of the tests */
export function tracesOf(capture: TracedCapture, names: Readonly<Record<string, string>> = {}): TraceRecord[] {
  const { lines } = analysisLines(trace, capture.pcapng(), { ...NAMES, ...names });
  return lines.map((line) => JSON.parse(line) as TraceRecord);
}

/** `shop/client-1 > shop/web-1 network 8`: a hop with its latency in ms. */
export const brief = ({ kind, from, to, latency }: HopRecord) =>
  `${from}${to === undefined ? '' : ` > ${to}`} ${kind} ${latency / 1e6}`;

export const sum = (hops: readonly HopRecord[]) => hops.reduce((total, { latency }) => total + latency, 0);
