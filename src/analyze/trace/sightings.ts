import type { FlowIdentity, FlowInfo } from '../flow/flow-facts.ts';
import type { Exchange } from '../record/event.ts';
import type { Passage } from './passages.ts';
import type { Trails } from './trails.ts';
import { bytesOf, type ExchangeBytes, isWhole, type Leg, merged, type Vantage, vantagesOf } from './vantages.ts';

const NO_OTHERS: readonly number[] = [];

/** An exchange whose places are being looked up. */
export interface Seen {
  readonly exchange: Exchange;
  readonly flow: FlowIdentity;
  bytes: ExchangeBytes | undefined;
  vantages: Vantage[];
  /** Of a request of a sidecar to its program: connections that may have brought it. */
  passages: readonly Passage[];
  /** Marks.changes of all places together when they were looked at, and how many places that were. */
  changes: number;
  places: number;
  /** Nothing more can be seen of it: both ends' own interfaces saw all, and only pods' interfaces were captured. */
  isSettled: boolean;
}

/** The connections that have exchanges, with their other legs, and what places have seen of each exchange. */
export class Sightings {
  readonly #trails: Trails;
  /** By flow: its ends. */
  readonly #flows = new Map<number, FlowIdentity>();
  /** By the flow that was seen first: the flows that are its other legs. Either may have the first event. */
  readonly #others = new Map<number, number[]>();

  constructor(trails: Trails) {
    this.#trails = trails;
  }

  /** A flow as it may be kept; both legs of a connection learn of one another. */
  flow(info: FlowInfo): FlowIdentity {
    const { id, sameAs } = info;
    const known = this.#flows.get(id);
    const isKnown = known?.sameAs?.id === sameAs?.id && known?.redirect === info.redirect;
    const isSame = known?.clientPort === info.clientPort && known.interfaceId === info.interfaceId;
    if (known !== undefined && isKnown && isSame) return known;
    const { transport, clientHost, serverHost, clientPort, serverPort, interfaceId, redirect, sample } = info;
    const ends = { clientHost, serverHost, clientPort, serverPort };
    const flow: FlowIdentity = { id, transport, ...ends, interfaceId, sameAs, redirect, sample };
    this.#flows.set(id, flow);
    if (sameAs !== undefined) {
      const others = this.#others.get(sameAs.id);
      if (others === undefined) this.#others.set(sameAs.id, [id]);
      else if (!others.includes(id)) others.push(id);
    }
    return flow;
  }

  /** What places have seen of an exchange until now: soon, before it is forgotten, and later, when all of them have. */
  look(seen: Seen): void {
    const { exchange, flow } = seen;
    const own = this.#leg(flow.id);
    if (own === undefined) return;
    const legs = [own];
    for (const id of this.#others.get(flow.id) ?? NO_OTHERS) {
      const other = this.#leg(id);
      if (other !== undefined) legs.push(other);
    }
    let changes = 0;
    let places = 0;
    for (const { trail } of legs) {
      for (const { marks } of trail.places) changes += marks[0].changes + marks[1].changes;
      places += trail.places.length;
    }
    const isSame = changes === seen.changes && places === seen.places;
    if (isSame && seen.vantages.length === places && seen.vantages.every(isWhole)) return;
    seen.changes = changes;
    seen.places = places;
    seen.bytes ??= bytesOf(exchange, own);
    if (seen.bytes === undefined) return;
    const found = vantagesOf(exchange, seen.bytes, legs);
    seen.vantages = seen.vantages.length === 0 ? found : merged(seen.vantages, found);
  }

  /** A connection has ended, and the time in which another place may still bring its packets is over. @param id of its flow */
  forget(id: number): void {
    this.#flows.delete(id);
    this.#others.delete(id);
  }

  #leg(id: number): Leg | undefined {
    const trail = this.#trails.of(id);
    const flow = this.#flows.get(id);
    if (trail === undefined || flow === undefined) return undefined;
    const { clientHost, clientPort, serverHost, serverPort } = flow;
    return { id, clientHost, clientPort, serverHost, serverPort, trail };
  }
}
