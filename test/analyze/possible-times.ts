import type { FlowFacts, RttFacts, Sighting } from '../../src/analyze/flow/flow-facts.ts';
import type { AnalysisEvent, Exchange } from '../../src/analyze/record/event.ts';
import type { Analysed } from '../support/analysis.ts';

/** Every time of an analysis that no packets can have had, one sentence each. Times: ns since the first packet. */
export function impossibleTimes({ events, flows, earliest, latest }: Analysed): string[] {
  const isCaptured = (time: number) => time >= earliest && time <= latest;
  return [
    ...events.flatMap(({ event }) => eventProblems(event, isCaptured)),
    ...flows.flatMap((flow) => flowProblems(flow, isCaptured).map((problem) => `flow ${flow.id}: ${problem}`)),
  ];
}

function eventProblems(event: AnalysisEvent, isCaptured: (time: number) => boolean): string[] {
  const words = `${event.protocol} ${event.label.slice(0, 40)}`;
  const problems = event.kind === 'exchange' ? exchangeProblems(event, isCaptured) : [];
  if (!isCaptured(event.time)) problems.push(`at ${event.time}, outside the capture`);
  return problems.map((problem) => `${words}: ${problem}`);
}

function exchangeProblems(event: Exchange, isCaptured: (time: number) => boolean): string[] {
  const { time, requestEnd, responseTime, responseEnd } = event;
  const problems: string[] = [];
  for (const one of [requestEnd, responseTime, responseEnd]) {
    if (one !== undefined && !isCaptured(one)) problems.push(`${one} is outside the capture`);
  }
  if (requestEnd < time) problems.push('the request ends before it begins');
  if (responseTime !== undefined && responseTime < time) problems.push('the response begins before the request');
  if (responseEnd !== undefined && responseEnd < (responseTime ?? time)) {
    problems.push('the response ends before it begins');
  }
  return problems;
}

function flowProblems(flow: FlowFacts, isCaptured: (time: number) => boolean): string[] {
  const { first, last, tcp, sightings = [] } = flow;
  const problems: string[] = [];
  if (!isCaptured(first) || !isCaptured(last) || last < first) problems.push(`lasts from ${first} to ${last}`);
  for (const name of ['handshakeRtt', 'setup', 'synSpan'] as const) {
    const duration = tcp?.[name];
    if (duration !== undefined && !(duration >= 0)) problems.push(`${name} is ${duration}`);
  }
  for (const side of ['client', 'server'] as const) {
    const rtt = tcp?.rtt[side];
    if (rtt !== undefined && !isPossible(rtt)) problems.push(`its rtt to the ${side} is ${JSON.stringify(rtt)}`);
    if (sightings.some((sighting) => isBackwards(sighting, side))) problems.push('a sighting ends before it begins');
  }
  return problems;
}

function isPossible({ minimum, mean, maximum, samples }: RttFacts): boolean {
  return minimum >= 0 && minimum <= mean && mean <= maximum && samples > 0;
}

function isBackwards(sighting: Sighting, side: 'client' | 'server'): boolean {
  const { first, last } = sighting[side];
  return first !== undefined && last !== undefined && last < first;
}
