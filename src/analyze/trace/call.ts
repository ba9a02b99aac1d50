import type { FlowIdentity } from '../flow/flow-facts.ts';
import type { Exchange } from '../record/event.ts';
import type { Vantage } from './vantages.ts';

/** How sure it is that one request was made because of another. */
export type Confidence = 'proven' | 'likely';

/** A call that was made while another request was answered, at the place that saw both. */
export interface Child {
  readonly call: Call;
  readonly confidence: Confidence;
  /** The request was passed on (same method, path or id): the pod is a proxy for it. */
  readonly passedOn: boolean;
  /** Both as seen there. */
  readonly inner: Vantage;
  readonly outer: Vantage;
}

/** One exchange at all places that saw it, and the calls that were made because of it. */
export interface Call {
  readonly exchange: Exchange;
  readonly flow: FlowIdentity;
  /** From the client to the server. Empty where nothing but the exchange itself is known. */
  readonly vantages: readonly Vantage[];
  readonly children: Child[];
  /** Calls that may belong to this request or to another one that was open then. */
  ambiguous: number;
  /** It belongs to another request, or may. */
  isInner: boolean;
}

/** When an exchange ended as far as is known, ns. */
export function endOf({ time, requestEnd, responseTime, responseEnd }: Exchange): number {
  return responseEnd ?? responseTime ?? Math.max(time, requestEnd);
}
