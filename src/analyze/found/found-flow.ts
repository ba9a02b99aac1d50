import type { FlowFacts, FlowIdentity, FlowInfo, OtherLeg, Transport } from '../flow/flow-facts.ts';
import type { Redirect } from '../flow/redirects.ts';
import { legOf } from './attempts.ts';

/** The number of a flow, and what it is another leg of. */
export type CountedFlow = Pick<KnownFlow, 'id' | 'sameAs' | 'attemptOf'>;

/** What is known of a flow that another analysis follows. */
export interface KnownFlow {
  /** Its number here. */
  readonly id: number;
  /** By which it is recognised at another node; undefined where that is not known. */
  readonly path: string | undefined;
  /** The address and port of the end with the higher port, mostly the client; undefined where that is not known. */
  readonly client: string | undefined;
  /** The number of the stream that it came in, or that it was taken over by. */
  readonly stream: number;
  /** Where its first packet was captured, as numbered here; -1 where that is not known. */
  readonly interfaceId: number;
  /** Who of its ends has the lower port, by its first packet: the server, before an event says so. */
  readonly serverHost: number;
  /** As it was with its last event; undefined before the first. */
  identity: FoundIdentity | undefined;
  /** The other leg, as it was first seen or joined. */
  sameAs: OtherLeg | undefined;
  /** The other leg, at another node, as long as neither comes up; it counts. */
  attemptOf: KnownFlow | undefined;
  /** The same flow at another node, which counts. */
  copyOf: KnownFlow | undefined;
  /** It counts here since then, ns, for the agent where it counted before was lost: what began earlier may be counted already. */
  countsSince: number;
  /** Its first packet was for another host: a bridge flooded it to a pod, which is on no way. */
  readonly isOverheard: boolean;
  /** Its stream has ended, and it had not: nothing more comes of it. */
  lost: boolean;
}

/** Identity without numbers, as identityShape has it. */
export interface FoundIdentity {
  readonly continued?: boolean | undefined;
  readonly transport: Transport;
  readonly clientHost: number;
  readonly serverHost: number;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly redirect?: Redirect | undefined;
}

/** What a block says of a flow. */
export interface FoundNow {
  readonly identity: FoundIdentity;
  /** As factsShape has them, of a flow that has ended. */
  readonly facts?: Partial<FlowFacts>;
  /** As FlowIdentity has it. */
  readonly sample: number | undefined;
}

const NOTHING = { packets: 0, bytes: 0, payload: 0 };

/** A flow of another analysis for those who take events. Before its end nothing of it is counted. */
export class FoundFlow implements FlowInfo {
  readonly id: number;
  readonly transport: Transport;
  readonly continued: boolean;
  readonly clientHost: number;
  readonly serverHost: number;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly interfaceId: number;
  readonly sameAs: OtherLeg | undefined;
  readonly redirect: Redirect | undefined;
  readonly sample: number | undefined;
  readonly #facts: Partial<FlowFacts> | undefined;

  constructor(known: CountedFlow, interfaceId: number, { identity, facts, sample }: FoundNow) {
    this.id = known.id;
    this.transport = identity.transport;
    this.continued = identity.continued === true;
    this.clientHost = identity.clientHost;
    this.serverHost = identity.serverHost;
    this.clientPort = identity.clientPort;
    this.serverPort = identity.serverPort;
    this.interfaceId = interfaceId;
    this.sameAs = legOf(known);
    this.redirect = identity.redirect;
    this.sample = sample;
    this.#facts = facts;
  }

  facts(): FlowFacts {
    const { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs } = this;
    const own: FlowIdentity = { id, transport, clientHost, serverHost, clientPort, serverPort, interfaceId, sameAs };
    return {
      ...own,
      first: Number.NaN,
      last: Number.NaN,
      client: NOTHING,
      server: NOTHING,
      protocol: undefined,
      tcp: undefined,
      redirect: this.redirect,
      ...this.#facts,
      ...(this.continued ? { continued: true } : {}),
      ...(this.sample === undefined ? {} : { sample: this.sample }),
    };
  }
}
