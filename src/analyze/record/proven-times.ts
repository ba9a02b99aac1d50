import type { AnalysisEvent } from './event.ts';

/**
 * An event without the times that were not measured: those that are not a number (StreamContext.now where the packet's clock
 * is another's), and those that contradict one another. An exchange keeps its place in time and loses its latency.
 * @param now ns; used where the event has no time
 */
export function withProvenTimes(event: AnalysisEvent, now: number): AnalysisEvent {
  if (event.kind !== 'exchange') return Number.isNaN(event.time) ? { ...event, time: now } : event;
  const { time, requestEnd, responseTime, responseEnd } = event;
  const isRequestTimed = requestEnd >= time;
  const isResponseTimed =
    (responseTime === undefined || responseTime >= time) &&
    (responseEnd === undefined || responseEnd >= (responseTime ?? time));
  if (isRequestTimed && isResponseTimed) return event;
  const known = Number.isNaN(time) ? now : time;
  const isStarted = isRequestTimed && responseTime !== undefined && responseTime >= time;
  return {
    ...event,
    time: known,
    requestEnd: requestEnd >= known ? requestEnd : known,
    responseTime: isStarted ? responseTime : undefined,
    responseEnd: undefined,
  };
}
