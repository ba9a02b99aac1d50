import { isAddress } from '../../wire/address-text.ts';
import { FOUND_MAXIMUM } from '../../wire/found-block.ts';
import { addressBytes } from '../../wire/pcapng-write.ts';
import type { AnalysisSink, FlowFacts, OtherLeg } from '../flow/flow-facts.ts';
import type { Hosts } from '../identity/hosts.ts';
import { IP_PROTOCOL } from '../layers/ip-protocol.ts';
import {
  FOUND_FLOWS,
  FOUND_HOSTS,
  FOUND_LOST,
  FOUND_STREAMS,
  LEG_DATAGRAM_WINDOW_NS,
  LEG_HANDSHAKE_WINDOW_NS,
  LEG_SEGMENT_WINDOW_NS,
  SAMPLE_NOTES,
} from '../limits.ts';
import { RecentMap } from '../recent-map.ts';
import type { AnalysisEvent } from '../record/event.ts';
import { hasWaited } from '../record/repeated-exchanges.ts';
import type { Sample } from '../record/sample-record.ts';
import { FoundAttempts, isUnopened } from './attempts.ts';
import { BEGAN } from './began.ts';
import { connectionsShape } from './connections-shape.ts';
import { eventShape } from './event-shape.ts';
import { factsShape, identityShape, legShape } from './facts-shape.ts';
import { FoundFlow, type FoundIdentity, type KnownFlow } from './found-flow.ts';
import { FoundLegs, join } from './legs.ts';
import { OpenedConnections } from './opened.ts';
import { repeatedShape } from './repeated-shape.ts';
import { StreamSample, sampleOf } from './sample.ts';
import { type Translation, WrongShape, whole } from './shape.ts';
import { type FoundTotals, NO_TOTALS, totalsShape, totalsSince } from './totals.ts';
import { TracedReader } from './traced-reader.ts';

/** At the highest level an agent analyses one connection of 2 to the power of this. */
const SAMPLE_LEVEL_MAXIMUM = 16;

/** So many flows of datagrams at most have ended in the few seconds of a block. */
const FLOWS_GONE_MAXIMUM = 2 ** 32 - 1;

/** Flows of one stream whose numbers are remembered after their end. */
const ENDED_REMEMBERED = 4_096;

/** What the analysis that takes it in has to offer. */
export interface FoundTarget {
  readonly hosts: Hosts;
  /** Time of the block at hand, ns since the first packet. */
  now(): number;
  /** The number of one more flow. @param number that it is to have, where it may have that */
  newFlow(number?: number): number;
  /** The name of an interface; empty where it has none. */
  interfaceName(id: number): string;
  /** The node of an interface; empty where that is not known. */
  nodeName(id: number): string;
  /** A place of capture, as Places.of has it. @param device the interface within it */
  placeOf(interfaceId: number, device: number): number;
  /** Whether packets of an interface can have been captured at several places. */
  mayCopy(interfaceId: number): boolean;
  /** What was counted since the last time. */
  counted(more: FoundTotals): void;
}

/** One thing found, as a block brings it. */
export interface FoundText {
  /** The number of the stream it came in. */
  readonly stream: number;
  readonly json: string;
}

/** A flow as its beginning shows it. */
interface NewFlow extends Pick<KnownFlow, 'path' | 'client' | 'interfaceId' | 'serverHost' | 'isOverheard'> {
  /** The flow of a lost agent that goes on. */
  readonly continues: KnownFlow | undefined;
}

const UNKNOWN_FLOW: NewFlow = {
  path: undefined,
  client: undefined,
  interfaceId: -1,
  serverHost: -1,
  isOverheard: false,
  continues: undefined,
};

/** What is known of one stream: of one session with one agent. */
interface Stream {
  readonly number: number;
  /** By the numbers that its analysis gives interfaces and flows. */
  readonly interfaces: Map<number, number>;
  readonly flows: Map<number, KnownFlow>;
  /** Numbers here of flows that have ended lately: one that ends later may be the other leg. */
  readonly ended: RecentMap<number, number>;
  totals: FoundTotals;
  /** No other agent was part of the capture when it began. */
  isAlone: boolean;
  /** Undefined as long as everything is analysed. */
  sample: StreamSample | undefined;
  readonly traced: TracedReader;
  /** By interface, as numbered here: when it brought its first packet, ns. */
  readonly began: Map<number, number>;
}

/**
 * Hands what analyses beside agents found to a sink, as if it had been found here: flows get numbers of this analysis, addresses
 * and times become its own. What two nodes saw counts once: a flow by its addresses and ports, the legs of a connection before and
 * behind NAT by what NAT does not change. Agents are outside: what is not as it should be is left out and counted.
 */
export class FoundReader {
  /** Blocks that were not understood. */
  misunderstood = 0;
  /** Flows whose agent was lost before their end. */
  lost = 0;
  /** Flows that were forgotten because there were too many. */
  forgotten = 0;
  /** From now on the agent of a node analyses one connection of 2 to the power of `level`, and until now of `before`. */
  onSample: ((node: string, level: number, before: number) => void) | undefined;
  readonly #target: FoundTarget;
  readonly #sink: AnalysisSink;
  readonly #streams = new Map<number, Stream>();
  readonly #samples: StreamSample[] = [];
  /** Open flows by their paths. */
  readonly #paths = new Map<string, KnownFlow>();
  /** By the node and the name of an interface: the stream that last described it. */
  readonly #described = new Map<string, number>();
  /** By path: flows of lost agents. */
  readonly #lost = new RecentMap<string, KnownFlow>(FOUND_LOST);
  readonly #opened = new OpenedConnections();
  readonly #hosts = new Map<string, number>();
  readonly #handshakes = new FoundLegs(LEG_HANDSHAKE_WINDOW_NS);
  readonly #attempts = new FoundAttempts(LEG_HANDSHAKE_WINDOW_NS);
  readonly #segments = new FoundLegs(LEG_SEGMENT_WINDOW_NS);
  readonly #datagrams = new FoundLegs(LEG_DATAGRAM_WINDOW_NS);
  #flows = 0;
  #isUsed = false;

  constructor(target: FoundTarget, sink: AnalysisSink) {
    this.#target = target;
    this.#sink = sink;
  }

  /** Flows that have begun and not ended, at all nodes. */
  get open(): number {
    return this.#flows;
  }

  /** Whether anything came. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** What was analysed where agents could not keep up; undefined where all was. */
  get sample(): Sample | undefined {
    return sampleOf(this.#samples);
  }

  /**
   * An interface of a stream is described.
   * @param index its number there
   * @param interfaceId its number in this analysis
   */
  described(number: number, index: number, interfaceId: number): void {
    const stream = this.#stream(number);
    if (stream !== undefined && stream.interfaces.size < FOUND_HOSTS) stream.interfaces.set(index, interfaceId);
  }

  take({ stream: number, json }: FoundText): void {
    const stream = this.#stream(number);
    this.#isUsed = true;
    try {
      if (stream === undefined || json.length > FOUND_MAXIMUM) throw new WrongShape('no room');
      this.#take(JSON.parse(json), stream);
    } catch (thrown) {
      if (!(thrown instanceof WrongShape || thrown instanceof SyntaxError)) throw thrown;
      this.misunderstood += 1;
    }
  }

  #stream(number: number): Stream | undefined {
    const known = this.#streams.get(number);
    if (known !== undefined || this.#streams.size >= FOUND_STREAMS) return known;
    const interfaces = new Map<number, number>();
    const flows = new Map<number, KnownFlow>();
    const ended = new RecentMap<number, number>(ENDED_REMEMBERED);
    const traced = new TracedReader({
      now: () => this.#target.now(),
      flow: (id) => flows.get(id)?.id ?? ended.get(id) ?? -1,
      interfaceId: (index) => interfaces.get(index) ?? unknownInterface(),
      host: (value) => this.#host(value),
      placeOf: (id, device) => this.#target.placeOf(id, device),
      mayCopy: (id) => this.#target.mayCopy(id),
    });
    const stream: Stream = {
      number,
      interfaces,
      flows,
      ended,
      totals: NO_TOTALS,
      isAlone: false,
      sample: undefined,
      traced,
      began: new Map(),
    };
    this.#streams.set(number, stream);
    return stream;
  }

  #take(found: unknown, stream: Stream): void {
    if (!Array.isArray(found)) throw new WrongShape('no list');
    const [kind, index, first] = found as readonly unknown[];
    const interfaceId = stream.interfaces.get(whole(index));
    if (interfaceId === undefined) throw new WrongShape('no interface');
    if (kind === 'i') {
      stream.isAlone = first === 1;
      this.#interfaceBegan(interfaceId, stream);
    } else if (kind === 't') this.#totals(totalsShape(first, this.#by(stream)) as FoundTotals, stream);
    else if (kind === 's') this.#sampling(whole(first), interfaceId, stream);
    else if (kind === 'l') this.#sink.local?.(this.#host(first), interfaceId);
    else if (kind === 'b') this.#began(found, interfaceId, stream);
    else if (kind === 'k' || kind === 'm') this.#leg(found, kind === 'm', interfaceId, stream);
    else if (kind === 'o') this.#notOpened(found, stream);
    else if (kind === 'e') this.#event(found, interfaceId, stream);
    else if (kind === 'a') this.#repeated(found, interfaceId, stream);
    else if (kind === 'd') this.#alike(found, interfaceId, stream);
    else if (kind === 'w') this.#lastOfFlow(found, interfaceId, stream);
    else if (kind === 'u') this.#flowsGone(found, interfaceId, stream);
    else if (kind === 'c') this.#connectionsEnded(found, interfaceId, stream);
    else if (kind === 'f') this.#flowEnded(found, interfaceId, stream);
    else if (kind === 'g') this.#flowGone(whole(first), interfaceId, stream);
    else if (kind === 'n') this.#identified(found, stream);
    else if (kind === 'j') this.#legJoined(found, interfaceId, stream);
    else if (kind === 'y') this.#sink.traced?.(stream.traced.handshake(interfaceId, found.slice(2)));
    else if (kind === 'p') {
      for (const packet of stream.traced.packets(found.slice(2))) this.#sink.traced?.(packet);
    } else throw new WrongShape('no kind');
  }

  #event([, , id, identity, leg, said]: readonly unknown[], interfaceId: number, stream: Stream): void {
    const event = eventShape(said, this.#by(stream)) as AnalysisEvent;
    const began = hasWaited(event) ? event.time : Number.POSITIVE_INFINITY;
    if (event.kind === 'exchange') this.#cameUp(id, stream);
    const flow = this.#countedFlow([id, identity, leg], interfaceId, stream, began);
    if (flow !== undefined) this.#sink.event(event, flow);
  }

  /** What counts is decided by flow, so all of them count here, or none. */
  #repeated([, , id, identity, leg, said, parts]: readonly unknown[], interfaceId: number, stream: Stream): void {
    if (this.#sink.repeated === undefined) throw new WrongShape('no output for it');
    const repeated = repeatedShape(said, parts, this.#by(stream));
    this.#cameUp(id, stream);
    const flow = this.#countedFlow([id, identity, leg], interfaceId, stream, repeated.first);
    if (flow !== undefined) this.#sink.repeated(repeated, flow);
  }

  /** They are of many flows, of which one is shown. */
  #alike([, , id, identity, said, parts]: readonly unknown[], interfaceId: number, stream: Stream): void {
    if (this.#sink.repeated === undefined) throw new WrongShape('no output for it');
    const repeated = repeatedShape(said, parts, this.#by(stream));
    this.#sink.repeated(repeated, this.#flowOfAlone(id, identity, interfaceId, stream));
  }

  #lastOfFlow([, , id, identity, said]: readonly unknown[], interfaceId: number, stream: Stream): void {
    if (this.#sink.lastOfFlow === undefined) throw new WrongShape('no output for it');
    const exchange = eventShape(said, this.#by(stream)) as AnalysisEvent;
    if (exchange.kind !== 'exchange') throw new WrongShape('no exchange');
    this.#sink.lastOfFlow(exchange, this.#flowOfAlone(id, identity, interfaceId, stream));
  }

  #flowsGone([, , identity, count]: readonly unknown[], interfaceId: number, stream: Stream): void {
    if (this.#sink.flowsEnded === undefined) throw new WrongShape('no output for it');
    const gone = whole(count);
    const flow = this.#flowOfAlone(undefined, identity, interfaceId, stream);
    if (gone < 1 || gone > FLOWS_GONE_MAXIMUM || flow.transport !== 'udp')
      throw new WrongShape('no flows of datagrams');
    this.#sink.flowsEnded(gone, flow);
  }

  /**
   * A flow of which nothing is kept here, for no other agent can have seen it.
   * @param id undefined where it stands for flows that have no numbers here
   */
  #flowOfAlone(id: unknown, identity: unknown, interfaceId: number, stream: Stream): FoundFlow {
    if (!stream.isAlone) throw new WrongShape('not alone');
    const own = identityShape(identity, this.#by(stream)) as FoundIdentity;
    const number = id === undefined ? -1 : (this.#numberOf(whole(id), stream) ?? -1);
    const flow = { id: number, sameAs: undefined, attemptOf: undefined };
    return new FoundFlow(flow, interfaceId, { identity: own, sample: sampledOf(stream) });
  }

  /**
   * The flow of something found; undefined where it counts at another node, or may have been counted there.
   * @param of its number, identity and leg @param began when what waited on its node began, ns; Infinity for what did not wait
   */
  #countedFlow(
    [id, identity, leg]: readonly unknown[],
    interfaceId: number,
    stream: Stream,
    began: number,
  ): FoundFlow | undefined {
    const { flow, identity: own } = this.#ofFlow(id, identity, leg, stream);
    if (isCopy(flow) || began < flow.countsSince) return undefined;
    return new FoundFlow(flow, interfaceId, { identity: own, sample: sampledOf(stream) });
  }

  /** The flow of something found, and whose it is: with null as it was with what came before of it. */
  #ofFlow(
    id: unknown,
    identity: unknown,
    leg: unknown,
    stream: Stream,
  ): { readonly flow: KnownFlow; readonly identity: FoundIdentity } {
    const own = identity === null ? undefined : (identityShape(identity, this.#by(stream)) as FoundIdentity);
    const flow = this.#flow(whole(id), stream);
    if (own !== undefined) this.#joinedTo(flow, leg, stream);
    const known = own ?? flow.identity;
    if (known === undefined) throw new WrongShape('no identity');
    flow.identity = known;
    return { flow, identity: known };
  }

  /** A connection does not come up: it is one with that of another node whose SYN is the same. */
  #notOpened([, , id, identity, leg, initial, leaves]: readonly unknown[], stream: Stream): void {
    if (leaves !== 0 && leaves !== 1) throw new WrongShape('no direction');
    const { flow, identity: own } = this.#ofFlow(id, identity, leg, stream);
    const key = `${own.clientHost}:${own.clientPort} ${whole(initial)}`;
    this.#attempts.seen(key, { flow, time: this.#target.now(), leaves: leaves === 1 });
  }

  #cameUp(id: unknown, { flows }: Stream): void {
    const flow = flows.get(whole(id));
    if (flow !== undefined) flow.attemptOf = undefined;
  }

  /** They are of a flow that no other agent has: its beginning did not come. */
  #connectionsEnded(
    [, , id, identity, leg, said, parts]: readonly unknown[],
    interfaceId: number,
    stream: Stream,
  ): void {
    if (this.#sink.connectionsEnded === undefined) throw new WrongShape('no output for it');
    const { connections, facts } = connectionsShape(said, parts, this.#by(stream));
    const counted = this.#countedFlow([id, identity, leg], interfaceId, stream, Number.POSITIVE_INFINITY);
    const flow = this.#flow(whole(id), stream);
    this.#ended(whole(id), flow, stream);
    if (counted === undefined || flow.identity === undefined) return;
    const now = { identity: flow.identity, facts, sample: sampledOf(stream) };
    this.#sink.connectionsEnded(connections, new FoundFlow(flow, interfaceId, now));
  }

  #identified([, , id, identity, leg]: readonly unknown[], stream: Stream): KnownFlow {
    const own = identityShape(identity, this.#by(stream)) as FoundIdentity;
    const flow = this.#flow(whole(id), stream);
    this.#joinedTo(flow, leg, stream);
    flow.identity = own;
    return flow;
  }

  #legJoined(found: readonly unknown[], interfaceId: number, stream: Stream): void {
    const flow = this.#identified(found, stream);
    const { identity: own } = flow;
    if (own === undefined || isCopy(flow)) return;
    this.#sink.legJoined?.(new FoundFlow(flow, interfaceId, { identity: own, sample: sampledOf(stream) }));
  }

  #flowEnded([, , id, said, leg]: readonly unknown[], interfaceId: number, stream: Stream): void {
    const facts = factsShape(said, this.#by(stream)) as FoundIdentity & Partial<FlowFacts>;
    const flow = this.#flow(whole(id), stream);
    this.#joinedTo(flow, leg, stream);
    if (!isUnopened(facts)) flow.attemptOf = undefined;
    this.#ended(whole(id), flow, stream);
    if (isCopy(flow)) {
      this.#copied(facts);
      return;
    }
    const now = { identity: facts, facts, sample: sampledOf(stream) };
    this.#sink.flowEnded(new FoundFlow(flow, interfaceId, now));
  }

  /** A flow of datagrams has ended, and its facts did not come: whoever adds connections up does not look at them. */
  #flowGone(id: number, interfaceId: number, stream: Stream): void {
    if (this.#sink.connectionsEnded === undefined) throw new WrongShape('no output for it');
    const flow = this.#flow(id, stream);
    this.#ended(id, flow, stream);
    const { identity } = flow;
    if (identity?.transport !== 'udp') throw new WrongShape('no flow of datagrams');
    if (!isCopy(flow)) this.#sink.flowEnded(new FoundFlow(flow, interfaceId, { identity, sample: sampledOf(stream) }));
  }

  /**
   * An interface that a node describes anew, in another stream, continues one whose agent was lost: its flows have no end. At another
   * node it is of another pod of the same name, as those of a StatefulSet have.
   */
  #interfaceBegan(interfaceId: number, { number, began }: Stream): void {
    began.set(interfaceId, this.#target.now());
    const name = this.#target.interfaceName(interfaceId);
    if (name === '') return;
    const key = this.#placeKey(interfaceId);
    const before = this.#described.get(key);
    if (this.#described.size < FOUND_HOSTS) this.#described.set(key, number);
    const lost = before === undefined || before === number ? undefined : this.#streams.get(before);
    if (lost === undefined || lost.flows.size === 0) return;
    const ids = new Set([...lost.flows.values()].map((flow) => flow.id));
    for (const [id, flow] of lost.flows) {
      flow.lost = true;
      // The new agent sees both legs too, and decides anew which of them counts.
      if (flow.sameAs !== undefined && ids.has(flow.sameAs.id)) flow.sameAs = undefined;
      this.lost += 1;
      this.#forget(id, lost);
      lost.traced.forget(id);
      if (flow.path !== undefined && flow.copyOf === undefined) this.#lost.set(flow.path, flow);
    }
    this.#takeOver();
  }

  /** Flows that another node has as well count there from now on, where those that counted are lost. */
  #takeOver(): void {
    for (const { flows } of this.#streams.values()) {
      for (const flow of flows.values()) {
        if (flow.path === undefined || flow.copyOf?.lost !== true) continue;
        flow.copyOf = this.#paths.get(flow.path);
        flow.countsSince = this.#target.now();
        if (flow.copyOf === undefined) this.#paths.set(flow.path, flow);
        this.#lost.delete(flow.path);
      }
    }
  }

  /** The flow of a lost agent that goes on at its place. */
  #lostAt(path: string, interfaceId: number): KnownFlow | undefined {
    const lost = this.#lost.get(path);
    const isThere = lost !== undefined && this.#placeKey(lost.interfaceId) === this.#placeKey(interfaceId);
    return isThere ? lost : undefined;
  }

  #placeKey(interfaceId: number): string {
    return `${this.#target.nodeName(interfaceId)} ${this.#target.interfaceName(interfaceId)}`;
  }

  #nodeOf({ interfaceId }: KnownFlow): string {
    return this.#target.nodeName(interfaceId);
  }

  #totals(totals: FoundTotals, stream: Stream): void {
    this.#target.counted(totalsSince(totals, stream.totals));
    stream.totals = totals;
    if (stream.sample !== undefined) stream.sample.totals = totals;
  }

  #sampling(level: number, interfaceId: number, stream: Stream): void {
    if (level < 0 || level > SAMPLE_LEVEL_MAXIMUM) throw new WrongShape('no level');
    const node = this.#target.nodeName(interfaceId);
    if (stream.sample === undefined && level > 0) {
      stream.sample = new StreamSample(node, this.#target.now(), stream.totals);
      this.#samples.push(stream.sample);
    }
    const before = stream.sample?.level ?? 0;
    if (stream.sample === undefined || before === level) return;
    stream.sample.change(level, this.#target.now());
    if (stream.sample.changes <= SAMPLE_NOTES) this.onSample?.(node, level, before);
  }

  #began(found: readonly unknown[], interfaceId: number, stream: Stream): void {
    const [, , id, protocol, source, sourcePort, destination, destinationPort, passes, first = 0] = found;
    const [from, to] = [this.#host(source), this.#host(destination)];
    const ends = [`${from}:${whole(sourcePort)}`, `${to}:${whole(destinationPort)}`].sort();
    const path = `${whole(protocol)} ${ends.join(' ')}`;
    const serverHost = whole(destinationPort) <= whole(sourcePort) ? to : from;
    const client = serverHost === to ? `${from}:${whole(sourcePort)}` : `${to}:${whole(destinationPort)}`;
    const isOverheard = (whole(first) & BEGAN.overheard) !== 0;
    const continues = (whole(first) & BEGAN.opening) === 0 ? this.#lostAt(path, interfaceId) : undefined;
    this.#lost.delete(path);
    this.#add(whole(id), { path, client, interfaceId, serverHost, isOverheard, continues }, stream);
    if (passes === 1 || passes === 2) this.#sink.local?.(passes === 1 ? from : to, interfaceId);
  }

  /** @param path undefined where the flow's beginning did not come */
  #add(id: number, begun: NewFlow, stream: Stream): KnownFlow {
    const { path, client, interfaceId, serverHost, isOverheard, continues } = begun;
    const before = path === undefined ? undefined : this.#paths.get(path);
    const other = before !== undefined && before.stream !== stream.number && !before.lost ? before : undefined;
    // What a bridge flooded to another pod does not count where the flow itself is seen.
    const takesOver = other?.isOverheard === true && !isOverheard;
    const copyOf = takesOver ? undefined : other;
    const flow: KnownFlow = {
      id: other?.id ?? continues?.id ?? this.#newFlow(id, stream),
      path,
      client,
      stream: stream.number,
      interfaceId,
      serverHost,
      identity: undefined,
      sameAs: copyOf === undefined ? continues?.sameAs : undefined,
      attemptOf: undefined,
      copyOf,
      countsSince: Number.NEGATIVE_INFINITY,
      isOverheard,
      lost: false,
    };
    if (takesOver && other !== undefined) other.copyOf = flow;
    this.#forget(id, stream);
    stream.flows.set(id, flow);
    if (path !== undefined && copyOf === undefined) this.#paths.set(path, flow);
    this.#flows += 1;
    if (this.#flows > FOUND_FLOWS) this.#makeRoom(stream);
    return flow;
  }

  /** What only one agent has found has the numbers that it has there. */
  #newFlow(id: number, { isAlone }: Stream): number {
    return isAlone && this.#streams.size === 1 ? this.#target.newFlow(id) : this.#target.newFlow();
  }

  #flow(id: number, stream: Stream): KnownFlow {
    return stream.flows.get(id) ?? this.#add(id, UNKNOWN_FLOW, stream);
  }

  #forget(id: number, stream: Stream): void {
    const flow = stream.flows.get(id);
    if (flow === undefined) return;
    stream.flows.delete(id);
    this.#flows -= 1;
    if (flow.path !== undefined && this.#paths.get(flow.path) === flow) this.#paths.delete(flow.path);
  }

  #ended(id: number, flow: KnownFlow, stream: Stream): void {
    this.#forget(id, stream);
    stream.traced.forget(id);
    stream.ended.set(id, flow.id);
  }

  #makeRoom(stream: Stream): void {
    const [oldest] = stream.flows.keys();
    if (oldest === undefined) return;
    this.#forget(oldest, stream);
    this.forgotten += 1;
  }

  #leg([, , id, one, two]: readonly unknown[], isSegment: boolean, interfaceId: number, stream: Stream): void {
    const flow = this.#flow(whole(id), stream);
    const isTcp = flow.path?.startsWith(`${IP_PROTOCOL.tcp} `) === true;
    flow.attemptOf = undefined;
    const now = this.#target.now();
    const legs = isSegment ? this.#segments : isTcp ? this.#handshakes : this.#datagrams;
    let isJoined = legs.seen(`${whole(one)} ${whole(two)}`, flow, now);
    if (isSegment && !isJoined) {
      const opened = this.#opened.of(flow, whole(one), stream.began.get(interfaceId) ?? Number.NEGATIVE_INFINITY);
      // What the lost agent of this node had opened: the new one sees both legs, and decides which of them counts.
      const isOfLost = opened?.lost === true && this.#nodeOf(opened) === this.#nodeOf(flow);
      isJoined = opened !== undefined && !isOfLost && join(flow, opened);
    } else if (isTcp && !isSegment) this.#opened.shown(flow, [whole(one), whole(two)], now);
    const { identity } = flow;
    // Before an event shows who its client is, that event brings the news.
    if (!isJoined || identity === undefined) return;
    this.#sink.legJoined?.(new FoundFlow(flow, interfaceId, { identity, sample: sampledOf(stream) }));
  }

  /** The analysis beside the agent has joined the flow to another one of its node. */
  #joinedTo(flow: KnownFlow, leg: unknown, stream: Stream): void {
    if (leg === null || leg === undefined) {
      // It was the other leg only as long as neither came up.
      if (flow.sameAs?.unopened === true) flow.sameAs = undefined;
      return;
    }
    const { id, serverHost, unopened } = legShape(leg, this.#by(stream)) as OtherLeg;
    const other = this.#numberOf(id, stream);
    if (other !== undefined) {
      flow.sameAs = { id: other, serverHost, ...(unopened === true ? { unopened } : {}) };
    }
  }

  /** The number here of a flow of a stream; undefined where it may have another one. */
  #numberOf(id: number, stream: Stream): number | undefined {
    // What was added up is known by another number, or by none.
    return stream.flows.get(id)?.id ?? stream.ended.get(id) ?? (stream.isAlone ? this.#newFlow(id, stream) : undefined);
  }

  /** Packets that another node saw as well. */
  #copied({ client, server }: Partial<FlowFacts>): void {
    const copies = (client?.packets ?? 0) + (server?.packets ?? 0);
    this.#target.counted({ ...NO_TOTALS, copies });
  }

  #by(stream: Stream): Translation {
    return {
      shift: this.#target.now(),
      host: (value) => this.#host(value),
      interfaceId: (id) => stream.interfaces.get(id),
    };
  }

  #host(value: unknown): number {
    if (value === null || value === undefined) return -1;
    if (typeof value !== 'string') throw new WrongShape('no address');
    const { hosts } = this.#target;
    const key = `${hosts.cluster} ${value}`;
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    if (value.includes('%') || !isAddress(value)) throw new WrongShape('no address');
    const bytes = addressBytes(value);
    const host = hosts.number(bytes, 0, bytes.length);
    if (this.#hosts.size >= FOUND_HOSTS) this.#hosts.clear();
    this.#hosts.set(key, host);
    return host;
  }
}

/** Of so many connections of its node one is analysed now: 4; undefined where all are. */
function sampledOf({ sample }: Stream): number | undefined {
  return sample === undefined || sample.level === 0 ? undefined : 2 ** sample.level;
}

/** Another node has the flow, and it counts there. */
function isCopy({ copyOf }: KnownFlow): boolean {
  return copyOf !== undefined && !copyOf.lost;
}

function unknownInterface(): never {
  throw new WrongShape('no interface');
}
