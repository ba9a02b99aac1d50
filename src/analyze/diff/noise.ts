import type { Histogram } from '../summary/histogram.ts';

/** Standard errors that two numbers must be apart: chance alone does that in 3 of 1,000 cases. */
const ERRORS_APART = 3;
/** Cases that at least one side must have. */
const CASES_LEAST = 5;
/** Shares must differ by so much, or by this factor. */
const SHARE_LEAST = 0.01;
const SHARE_RATIO = 2;
/** Latencies must differ by this factor; histograms are within 1.1 %. */
const LATENCY_RATIO = 1.1;
/** Retransmissions come in bursts, so their rates must differ by this factor, and one side must have so many. */
const RATE_RATIO = 2;
const RATE_CASES_LEAST = 20;

/** So many cases of so many. */
export interface Share {
  readonly cases: number;
  readonly of: number;
}

/**
 * Whether two shares differ by more than chance: the two-proportion z-test with the pooled share, and a difference that
 * matters.
 */
export function sharesDiffer(a: Share, b: Share): boolean {
  if (a.of === 0 || b.of === 0 || Math.max(a.cases, b.cases) < CASES_LEAST) return false;
  const [one, two] = [a.cases / a.of, b.cases / b.of];
  const pooled = (a.cases + b.cases) / (a.of + b.of);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / a.of + 1 / b.of));
  const difference = Math.abs(one - two);
  const matters = difference >= SHARE_LEAST || Math.max(one, two) >= SHARE_RATIO * Math.min(one, two);
  return error > 0 && difference >= ERRORS_APART * error && matters;
}

/**
 * Whether a percentile differs by more than chance: the confidence intervals of both, by ranks (no distribution is assumed),
 * do not overlap, and the values differ by a tenth. With few values an interval has no end, and nothing is stated.
 * @param share 0.5 for the median
 */
export function percentilesDiffer(a: Histogram, b: Histogram, share: number): boolean {
  if (a.count === 0 || b.count === 0) return false;
  const [one, two] = [a.percentile(share), b.percentile(share)];
  if (Math.max(one, two) < LATENCY_RATIO * Math.min(one, two)) return false;
  const [lower, higher] = one < two ? [a, b] : [b, a];
  const top = rankOf(lower.count, share, ERRORS_APART);
  const bottom = rankOf(higher.count, share, -ERRORS_APART);
  if (top > lower.count || bottom < 1) return false;
  return lower.atRank(top) < higher.atRank(bottom);
}

/** Whether there are enough values to state anything of their median. */
export function isMedianKnown(count: number): boolean {
  return rankOf(count, 0.5, ERRORS_APART) <= count && rankOf(count, 0.5, -ERRORS_APART) >= 1;
}

/** The rank of a percentile and so many standard errors beyond it; outside of 1 to `count` where there are too few values. */
function rankOf(count: number, share: number, errors: number): number {
  const rank = count * share + errors * Math.sqrt(count * share * (1 - share));
  return errors > 0 ? Math.ceil(rank) + 1 : Math.floor(rank);
}

/** Events of so many bytes. */
export interface Rate {
  readonly events: number;
  readonly bytes: number;
}

/** Whether two rates of events differ by more than chance (Poisson), and by a factor that bursts do not explain. */
export function ratesDiffer(a: Rate, b: Rate): boolean {
  if (a.bytes === 0 || b.bytes === 0 || Math.max(a.events, b.events) < RATE_CASES_LEAST) return false;
  const [one, two] = [a.events / a.bytes, b.events / b.bytes];
  const error = Math.sqrt(a.events / a.bytes ** 2 + b.events / b.bytes ** 2);
  return Math.abs(one - two) >= ERRORS_APART * error && Math.max(one, two) >= RATE_RATIO * Math.min(one, two);
}
