import type { Clock } from '../engine/clock.ts';
import { FLOW_I32, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import { DIRECTION } from '../layers/layer.ts';
import type { PacketView } from '../packet/packet.ts';
import type { Notice } from '../record/event.ts';
import { SEEN, STATE, TCP } from './flags.ts';
import type { Handshakes } from './handshakes.ts';
import type { PendingEnd } from './pending-end.ts';
import type { Reassembly } from './reassembly.ts';
import type { Streams } from './streams.ts';
import { leavesBy, type TcpLegs } from './tcp-legs.ts';

/** What endings need of the connections. */
export interface EndingSources {
  readonly table: FlowTable;
  readonly clock: Clock;
  readonly legs: TcpLegs;
  readonly handshakes: Handshakes;
  readonly reassembly: Reassembly;
  readonly streams: Streams;
  /** A connection was refused or reset. */
  readonly onNotice: (slot: number, notice: Notice) => void;
}

const REFUSED = { code: 'TCP_REFUSED', label: 'connection refused' } as const;
const RESET = { code: 'TCP_RESET', label: 'connection reset' } as const;

/** How connections end: by the FINs of both sides or by a reset, once the bytes sent before these have come. */
export class Endings {
  readonly #table: FlowTable;
  readonly #clock: Clock;
  readonly #legs: TcpLegs;
  readonly #handshakes: Handshakes;
  readonly #reassembly: Reassembly;
  readonly #streams: Streams;
  readonly #onNotice: (slot: number, notice: Notice) => void;

  constructor({ table, clock, legs, handshakes, reassembly, streams, onNotice }: EndingSources) {
    this.#table = table;
    this.#clock = clock;
    this.#legs = legs;
    this.#handshakes = handshakes;
    this.#reassembly = reassembly;
    this.#streams = streams;
    this.#onNotice = onNotice;
  }

  /** A segment with FIN or RST. */
  segment(slot: number, direction: number, packet: PacketView): void {
    if (packet.tcpFlags & TCP.rst) this.#reset(slot, direction, packet);
    else this.#fin(slot, direction, (packet.tcpSequence + packet.payloadLength + 1) | 0);
  }

  #reset(slot: number, direction: number, packet: PacketView): void {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const own = base + direction;
    const state = ints[base + TCP_I32.state] as number;
    if (state === STATE.reset || state === STATE.refused) return;
    const client = ints[base + FLOW_I32.client] as number;
    const refused = state === STATE.opening && direction !== client;
    const collided = direction === client && this.#handshakes.isOfOldConnection(base, client, packet);
    ints[own + TCP_I32.flags] = (ints[own + TCP_I32.flags] as number) | SEEN.rst | (collided ? SEEN.collided : 0);
    ints[base + TCP_I32.state] = refused ? STATE.refused : STATE.reset;
    if (refused) this.#legs.notOpened(slot, leavesBy(packet, DIRECTION.inbound));
    const isClosed = state === STATE.closed;
    const how = isClosed ? 'closed' : 'reset';
    const by = isClosed ? this.#closedFirst(slot) : direction;
    const stream = this.#streams.at(slot);
    if (!refused && stream !== undefined && this.#reassembly.isMissing(stream, direction, packet.tcpSequence)) {
      const limits = this.#limits(base, direction, packet.tcpSequence);
      stream.pendingEnd = { how, by, time: this.#clock.now, reported: isClosed ? undefined : direction, limits };
      this.#reassembly.awaitReset(stream);
      return;
    }
    this.#streams.end(slot, how, by);
    if (!isClosed) this.#report(slot, refused ? REFUSED : RESET, direction);
  }

  /** By direction, up to where bytes were sent before a reset: another network card may yet bring those that are missing. */
  #limits(base: number, direction: number, sequence: number): PendingEnd['limits'] {
    const { ints } = this.#table;
    const limit = (side: 0 | 1) => {
      if (((ints[base + side + TCP_I32.flags] as number) & SEEN.high) === 0) return undefined;
      const high = ints[base + side + TCP_I32.high] as number;
      return side === direction && ((sequence - high) | 0) > 0 ? sequence : high;
    };
    return [limit(0), limit(1)];
  }

  /** @param behind sequence number behind the FIN, int32 */
  #fin(slot: number, direction: number, behind: number): void {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const own = base + direction;
    const flags = ints[own + TCP_I32.flags] as number;
    if (flags & SEEN.fin) return;
    const isAnswered = ((ints[base + 1 - direction + TCP_I32.flags] as number) & SEEN.fin) !== 0;
    ints[own + TCP_I32.fin] = behind;
    ints[own + TCP_I32.flags] = flags | SEEN.fin | (isAnswered ? 0 : SEEN.closedFirst);
    const state = ints[base + TCP_I32.state];
    if (state === STATE.reset || state === STATE.refused) return;
    ints[base + TCP_I32.state] = isAnswered ? STATE.closed : STATE.halfClosed;
    if (isAnswered) this.finish(slot);
  }

  /** Of a connection closed by both sides: its stream ends once all bytes before the FINs have come. */
  finish(slot: number): void {
    const stream = this.#streams.at(slot);
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    if (stream === undefined || stream.ended || ints[base + TCP_I32.state] !== STATE.closed) return;
    for (let own = base; own < base + 2; own += 1) {
      const isKnown = ((ints[own + TCP_I32.flags] as number) & SEEN.next) !== 0;
      const left = ((ints[own + TCP_I32.fin] as number) - 1 - (ints[own + TCP_I32.next] as number)) | 0;
      if (isKnown && left > 0) return;
    }
    this.#streams.end(slot, 'closed', this.#closedFirst(slot));
  }

  /** What a reset overtook has had time to come: the connection ends, if it waits for that. */
  endPending(slot: number): void {
    const pending = this.#streams.at(slot)?.pendingEnd;
    if (pending === undefined) return;
    const { now } = this.#clock;
    this.#clock.now = pending.time;
    this.#streams.end(slot, pending.how, pending.by);
    if (pending.reported !== undefined) this.#report(slot, RESET, pending.reported);
    this.#clock.now = now;
  }

  /** The direction whose FIN came first; undefined before any. */
  #closedFirst(slot: number): number | undefined {
    const { ints } = this.#table;
    const flags = this.#table.base(slot) + TCP_I32.flags;
    if ((ints[flags] as number) & SEEN.closedFirst) return 0;
    return (ints[flags + 1] as number) & SEEN.closedFirst ? 1 : undefined;
  }

  #report(slot: number, { code, label }: { code: string; label: string }, direction: number): void {
    const client = this.#table.ints[this.#table.base(slot) + FLOW_I32.client] as number;
    const from = direction === client ? 0 : 1;
    const { now: time } = this.#clock;
    this.#onNotice(slot, { kind: 'event', protocol: 'tcp', code, label, time, from, failed: true, fields: {} });
  }
}
