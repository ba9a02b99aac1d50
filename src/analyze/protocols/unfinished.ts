import type { Incomplete } from '../record/event.ts';
import type { StreamEnd } from './protocol.ts';

/** Label and route of an exchange whose request was not captured. */
export const REQUEST_NOT_SEEN = '(request not seen)';

/** The same of one whose request the packets do not prove. */
export const REQUEST_UNKNOWN = '(request unknown)';

/** Reasons that prove that a request failed; any other leaves it open. */
const FAILURES: ReadonlySet<Incomplete> = new Set<Incomplete>(['no response', 'reset', 'closed early', 'timed out']);

/**
 * Why an exchange is not complete when its connection ends.
 * @param begun bytes of the response came
 */
export function unfinished(how: StreamEnd, begun: boolean): Incomplete {
  if (how === 'closed') return begun ? 'closed early' : 'no response';
  // A bound of ours ended it, not the connection.
  return how === 'expired' || how === 'evicted' ? 'unknown' : how;
}

/** Whether an exchange without a (whole) response failed for certain. */
export function isFailure(why: Incomplete | undefined): boolean {
  return why !== undefined && FAILURES.has(why);
}
