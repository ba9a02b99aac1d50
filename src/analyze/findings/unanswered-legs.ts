import type { FlowFacts } from '../flow/flow-facts.ts';
import { FINDING_SUBJECTS } from '../limits.ts';

/** Legs of one connection begin so close together, ns. */
const TOGETHER_NS = 1e9;

/** Connections that are remembered. */
const REMEMBERED = 16 * FINDING_SUBJECTS;

interface Leg {
  readonly subject: string;
  readonly serverHost: number;
  readonly interfaceId: number;
  readonly first: number;
}

/**
 * Finds the same connection before and behind the NAT of a Service where nothing answers: without packets of both directions the
 * two are two flows, from one address and port, seen at two places.
 */
export class UnansweredLegs {
  readonly #legs = new Map<string, Leg>();

  /**
   * The subject of the leg that was seen before; undefined for a first leg, which is remembered.
   * @param facts of a TCP connection without a response @param subject its server
   */
  earlier({ clientHost, clientPort, serverHost, interfaceId, first }: FlowFacts, subject: string): string | undefined {
    const key = `${clientHost} ${clientPort}`;
    const known = this.#legs.get(key);
    const isLeg =
      known !== undefined &&
      known.serverHost !== serverHost &&
      known.interfaceId !== interfaceId &&
      Math.abs(known.first - first) < TOGETHER_NS;
    if (isLeg) return known.subject;
    if (known !== undefined || this.#legs.size < REMEMBERED)
      this.#legs.set(key, { subject, serverHost, interfaceId, first });
    return undefined;
  }
}
