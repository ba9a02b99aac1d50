import type { CallerStats } from '../../analyze/summary/report.ts';
import { rateText } from '../summary-tables.ts';
import { grouped, latencyText } from '../units.ts';
import type { Edge } from './graph.ts';

/** Calls of one edge that are written out; the others are added up. */
const CALLS_SHOWN = 4;

/** `HTTP 12.3/s, 4 failed (1.2 %), p99 13 ms`. @param titleOf a protocol's name for people, sanitised */
export function callText(
  { protocol, count, rate, failed, latency }: CallerStats,
  titleOf: (protocol: string) => string,
): string {
  const often = rate === undefined ? `${grouped(count)} in all` : rateText(rate);
  const parts = [`${titleOf(protocol)} ${often}`, ...failures(failed, count)];
  if (latency !== undefined) parts.push(`p99 ${latencyText(latency.p99)}`);
  return parts.join(', ');
}

/** A text for each protocol of an edge. */
export function edgeTexts({ calls }: Edge, titleOf: (protocol: string) => string): string[] {
  const texts = calls.slice(0, CALLS_SHOWN).map((call) => callText(call, titleOf));
  const rest = calls.slice(CALLS_SHOWN);
  const count = rest.reduce((sum, call) => sum + call.count, 0);
  const failed = rest.reduce((sum, call) => sum + call.failed, 0);
  return count === 0 ? texts : [...texts, [`${grouped(count)} more`, ...failures(failed, count)].join(', ')];
}

function failures(failed: number, count: number): string[] {
  if (failed === 0) return [];
  const share = (failed / count) * 100;
  return [`${grouped(failed)} failed (${share < 10 ? share.toFixed(1) : share.toFixed(0)} %)`];
}
