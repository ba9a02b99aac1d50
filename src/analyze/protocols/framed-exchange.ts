import type { Exchange, Incomplete, Side } from '../record/event.ts';
import type { FramedMessage } from './framed-connection.ts';
import { isFailure } from './unfinished.ts';

/** How an exchange of two messages ended. */
export interface Ending {
  readonly incomplete?: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
}

type Measured = Pick<
  Exchange,
  | 'time'
  | 'requestEnd'
  | 'responseTime'
  | 'responseEnd'
  | 'requestBytes'
  | 'responseBytes'
  | 'declaredBytes'
  | 'endedBy'
  | 'incomplete'
>;

/**
 * What an exchange states of times, lengths and missing parts.
 * @param request undefined where it was not captured
 * @param answer undefined where there was none
 */
export function measured(
  request: FramedMessage | undefined,
  answer: FramedMessage | undefined,
  { incomplete, endedBy }: Ending,
): Measured {
  const time = request?.time ?? answer?.time ?? 0;
  const requestTimed = request === undefined || (request.timed && request.end !== undefined);
  const timed = answer?.timed === true && requestTimed;
  return {
    time,
    requestEnd: request?.end ?? time,
    responseTime: timed ? answer.time : undefined,
    responseEnd: timed ? answer.end : undefined,
    // A hole within a request hides nothing of its length.
    requestBytes: request === undefined ? 0 : request.end === undefined ? request.bytes : request.length,
    responseBytes: answer?.bytes ?? 0,
    declaredBytes: answer === undefined || answer.bytes === answer.length ? undefined : answer.length,
    endedBy,
    incomplete: incomplete ?? missing(request, answer),
  };
}

/** Whether an exchange failed for want of a (whole) answer. */
export function failedWithout(answer: FramedMessage | undefined, incomplete: Incomplete | undefined): boolean {
  return answer?.whole !== true && isFailure(incomplete);
}

function missing(request: FramedMessage | undefined, answer: FramedMessage | undefined): Incomplete | undefined {
  if (request === undefined) return 'request not seen';
  if (!request.whole) return 'request not captured';
  return answer?.whole === false ? 'response not captured' : undefined;
}
