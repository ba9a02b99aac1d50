import { type KeyObject, randomBytes } from 'node:crypto';
import type { PodView } from '../capture/kube/pod.ts';
import { seal } from '../ticket/seal.ts';
import { signTicket } from '../ticket/sign.ts';
import { type SealedTicket, TICKET_PODS, type TicketPod } from '../wire/ticket.ts';
import type { CaptureView } from './capture-object.ts';
import { TICKET_RENEW_MS, TICKET_VALID_MS } from './limits.ts';

/** Pods that one agent captures. */
export interface AgentPods {
  readonly agent: PodView;
  readonly pods: readonly PodView[];
  readonly hostNetwork: boolean;
}

interface Issued {
  readonly ticket: SealedTicket;
  /** When it was made, milliseconds since 1970. */
  readonly at: number;
}

/** The tickets of one Capture: each is kept until it is due for renewal, or other pods are to be captured. */
export class Tickets {
  readonly #key: KeyObject;
  /** By agent and pods. */
  #issued = new Map<string, Issued>();

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** Whether a ticket for these pods has to be made: for one that joined, or in place of an old one. */
  areDue(parts: readonly AgentPods[], now: number): boolean {
    return divided(parts).some((part) => this.#fresh(part, now) === undefined);
  }

  /**
   * The tickets for these pods. Where one has to be made, the requester must just have been found to be allowed.
   * @param now milliseconds since 1970
   * @returns sorted by node; each can be used for another TICKET_VALID_MS - TICKET_RENEW_MS
   * @throws KsnoopError INVALID_MESSAGE for a clientKey that is no X25519 key
   */
  issue(capture: CaptureView, parts: readonly AgentPods[], now: number): SealedTicket[] {
    const issued = new Map<string, Issued>();
    for (const part of divided(parts)) {
      issued.set(nameOf(part), this.#fresh(part, now) ?? { ticket: this.#make(capture, part, now), at: now });
    }
    this.#issued = issued;
    return [...issued.values()].map(({ ticket }) => ticket).sort((a, b) => a.node.localeCompare(b.node));
  }

  /** Milliseconds until a ticket that was issued is due for renewal; infinite without one. */
  dueIn(now: number): number {
    return Math.max(0, Math.min(...[...this.#issued.values()].map(({ at }) => at + TICKET_RENEW_MS - now)));
  }

  #fresh(part: AgentPods, now: number): Issued | undefined {
    const issued = this.#issued.get(nameOf(part));
    return issued !== undefined && now >= issued.at && now < issued.at + TICKET_RENEW_MS ? issued : undefined;
  }

  #make(capture: CaptureView, { agent, pods, hostNetwork }: AgentPods, now: number): SealedTicket {
    const { uid, requester, filter, snaplen, ends } = capture;
    const signed = signTicket(
      {
        capture: uid,
        sub: requester.user,
        node: agent.nodeName,
        agent: agent.uid,
        pods: pods.map((pod) => pod.uid),
        filter,
        snaplen,
        hostNetwork,
        iat: now,
        exp: Math.min(now + TICKET_VALID_MS, Math.max(ends, now + 1)),
        jti: randomBytes(16).toString('hex'),
      },
      this.#key,
    );
    return {
      node: agent.nodeName,
      agent: podOf(agent),
      pods: pods.map(podOf),
      hostNetwork,
      sealed: seal(signed, capture.clientKey).toString('base64'),
    };
  }
}

/** A ticket has TICKET_PODS pods at most, sorted by UID. */
export function divided(parts: readonly AgentPods[]): AgentPods[] {
  return parts.flatMap((part) => {
    const sorted = [...part.pods].sort((a, b) => (a.uid < b.uid ? -1 : 1));
    const count = Math.ceil(sorted.length / TICKET_PODS);
    return Array.from({ length: count }, (_, index) => ({
      ...part,
      pods: sorted.slice(index * TICKET_PODS, (index + 1) * TICKET_PODS),
    }));
  });
}

function nameOf({ agent, pods, hostNetwork }: AgentPods): string {
  return [agent.uid, hostNetwork, ...pods.map(({ uid }) => uid)].join(' ');
}

function podOf({ namespace, name, uid }: PodView): TicketPod {
  return { namespace, name, uid };
}
