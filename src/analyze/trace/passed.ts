import type { Exchange } from '../record/event.ts';
import type { Call, Confidence } from './call.ts';
import { type Likeness, likeness } from './likeness.ts';
import type { Passage } from './passages.ts';
import type { Vantage } from './vantages.ts';

/** A request belongs to one that sidecars passed on only where so much speaks for it, and so much more than for any other. */
const SCORE_KNOWN = 7;
const SCORE_SOLE = 4;
const LEAD = 4;

/** A request that a program's sidecar took, which may be the one that another pod's program got. */
export interface PassedCandidate {
  readonly outer: Call;
  readonly at: Vantage;
  /** The connections that may have carried it. */
  readonly passages: Passage[];
}

/** As likeness(); what is not HTTP, and the same word for word, is passed on as well. @param clientAddress as there */
export function likenessPassed(outer: Exchange, inner: Exchange, clientAddress: string): Likeness {
  const found = likeness(outer, inner, clientAddress);
  if (found.passedOn || 'http' in outer.fields) return found;
  if (outer.protocol !== inner.protocol || outer.label !== inner.label) return found;
  return { ...found, score: SCORE_SOLE, passedOn: true };
}

/** The candidate that is the request, as far as that is certain. @param found sorted by this function */
export function bestPassed<C extends PassedCandidate & Likeness>(
  found: C[],
): (C & { readonly confidence: Confidence }) | undefined {
  found.sort((a, b) => b.score - a.score);
  const [best, second] = found;
  if (best === undefined || best.score < SCORE_SOLE) return undefined;
  const lead = best.score - (second?.score ?? 0);
  if (best.sameId && (second === undefined || lead >= LEAD)) return { ...best, confidence: 'proven' };
  const isLikely = second === undefined || (best.score >= SCORE_KNOWN && lead >= LEAD);
  return isLikely ? { ...best, confidence: 'likely' } : undefined;
}
