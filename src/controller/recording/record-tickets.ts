import { type KeyObject, randomBytes } from 'node:crypto';
import type { PodView } from '../../capture/kube/pod.ts';
import { signRecordingTicket } from '../../ticket/sign.ts';
import { SNAPLEN_MINIMUM } from '../../wire/limits.ts';
import type { RecordingTicket } from '../../wire/recording-ticket.ts';
import type { CaptureView } from '../capture-object.ts';
import { TICKET_VALID_MS } from '../limits.ts';
import type { AgentPods } from '../tickets.ts';

/** Whose name stands in tickets that belong to no user. */
const OWN_NAME = 'ksnoop-controller';

/** Signs tickets for recordings: each for one agent, valid for less than a minute, and taken once. */
export class RecordTickets {
  readonly #key: KeyObject;
  readonly #now: () => number;

  /** @param key Ed25519 @param now milliseconds since 1970 */
  constructor(key: KeyObject, now: () => number) {
    this.#key = key;
    this.#now = now;
  }

  /** To record these pods, or none. @returns base64url */
  record({ uid, requester, filter, snaplen, ends }: CaptureView, { agent, pods, hostNetwork }: AgentPods): string {
    const uids = pods.map((pod) => pod.uid);
    const own = { kind: 'record', capture: uid, pods: uids, filter, snaplen, hostNetwork, until: ends } as const;
    return this.#sign({ ...own, ...this.#common(agent, requester.user) });
  }

  /** To remove a recording whose Capture is gone. @param capture its UID @returns base64url */
  remove(capture: string, agent: PodView): string {
    const nothing = { pods: [], filter: '', snaplen: SNAPLEN_MINIMUM, hostNetwork: false, until: this.#now() };
    return this.#sign({ kind: 'record', capture, ...nothing, ...this.#common(agent, OWN_NAME) });
  }

  /** To list the recordings of an agent. @returns base64url */
  list(agent: PodView): string {
    return this.#sign({ kind: 'list', ...this.#common(agent, OWN_NAME) });
  }

  /** To read the files of one Capture. @returns the signed ticket itself, to be sealed */
  fetch(capture: string, user: string, agent: PodView): Buffer {
    return signRecordingTicket({ kind: 'fetch', capture, ...this.#common(agent, user) }, this.#key);
  }

  #sign(ticket: RecordingTicket): string {
    return signRecordingTicket(ticket, this.#key).toString('base64url');
  }

  #common(agent: PodView, sub: string) {
    const iat = this.#now();
    const jti = randomBytes(16).toString('hex');
    return { sub, node: agent.nodeName, agent: agent.uid, iat, exp: iat + TICKET_VALID_MS, jti };
  }
}
