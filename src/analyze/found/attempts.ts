import type { FlowFacts, OtherLeg } from '../flow/flow-facts.ts';
import { LEG_ENTRIES } from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { CountedFlow, KnownFlow } from './found-flow.ts';

interface Attempt {
  readonly flow: KnownFlow;
  readonly time: number;
  readonly leaves: boolean;
}

/**
 * Finds the flows of different nodes that are one connection which does not come up, before and behind NAT: by the client's address and
 * port and the initial sequence number, as TcpLegs.notOpened does where one analysis sees both. Bounded: of more than LEG_ENTRIES the
 * oldest are forgotten.
 */
export class FoundAttempts {
  readonly #window: number;
  readonly #shown = new RecentMap<string, Attempt>(LEG_ENTRIES);

  /** @param window ns within which both legs have shown what they have in common */
  constructor(window: number) {
    this.#window = window;
  }

  /**
   * A connection does not come up.
   * @param key the client's address and port, and the SYN's sequence number
   * @param attempt with the time in ns, and whether the SYN leaves the place where it was seen
   */
  seen(key: string, attempt: Attempt): void {
    const before = this.#shown.get(key);
    if (before === undefined || Math.abs(attempt.time - before.time) > this.#window) {
      this.#shown.delete(key);
      this.#shown.set(key, attempt);
      return;
    }
    if (before.leaves === attempt.leaves || before.flow.stream === attempt.flow.stream) return;
    const [one, two] = [counted(before.flow), counted(attempt.flow)];
    if (one === two || one.path === two.path) return;
    // The flow that began first is the one that counts, wherever it was seen first that it does not come up.
    if (one.id < two.id) two.attemptOf = one;
    else one.attemptOf = two;
  }
}

/** The other leg of a flow: joined by its handshake or a segment, or as long as neither comes up by their SYNs. */
export function legOf({ sameAs, attemptOf }: CountedFlow): OtherLeg | undefined {
  if (sameAs !== undefined || attemptOf === undefined || attemptOf.lost) return sameAs;
  return { id: attemptOf.id, serverHost: attemptOf.identity?.serverHost ?? attemptOf.serverHost, unopened: true };
}

/** Whether a flow has ended as one that did not come up. */
export function isUnopened({ tcp }: Partial<FlowFacts>): boolean {
  return tcp?.state === 'refused' || tcp?.state === 'unanswered';
}

function counted(flow: KnownFlow): KnownFlow {
  return flow.copyOf !== undefined && !flow.copyOf.lost ? flow.copyOf : flow;
}
