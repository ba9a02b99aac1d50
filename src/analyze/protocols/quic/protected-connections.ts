import { u8 } from '../../bytes.ts';
import { PENDING_TOTAL_BYTES } from '../../limits.ts';
import { otherSide, SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { latin1 } from '../../record/text.ts';
import { oneLine } from '../one-line.ts';
import type { DatagramContext, Likeness, StreamEnd } from '../protocol.ts';
import type { KeyLog } from '../tls/decrypt/key-log.ts';
import type { ApplicationContext, ApplicationStreams } from './application.ts';
import type { QuicConnection } from './connection.ts';
import { quicErrorName } from './errors.ts';
import { Http3Connection } from './http3/connection.ts';
import { http3ErrorName, isNoHttp3Error } from './http3/errors.ts';
import type { LongHeader } from './long-header.ts';
import { type Level, ProtectedConnection, type ShortPacket } from './protected-connection.ts';

/** The code of the event of a connection that has keys in the key log and is not decrypted. */
export const QUIC_NOT_DECRYPTED = 'QUIC_NOT_DECRYPTED';
/** The code of the event of a connection that was closed because of an error. */
export const QUIC_CLOSE = 'QUIC_CLOSE';

/** Connections that are decrypted at once; past it the oldest is given up. */
const CONNECTIONS_MAXIMUM = 16_384;
/** Connections of one flow, one after the other or at once, that are looked for. */
const PER_FLOW_MAXIMUM = 16;
/** Bytes that all connections hold: packets whose secrets have not come, and bytes behind holes. */
const HELD_TOTAL_BYTES = 32 * 1024 * 1024;
/** So long after it was closed, ns, packets of a connection may still come that the closing one has overtaken. */
const CLOSING_NS = 100e6;
/** Shorter ids may be two connections' by chance: they do not show that a connection has moved. */
const TELLING_ID_BYTES = 4;

interface Known {
  readonly connection: ProtectedConnection;
  readonly handshake: QuicConnection;
  /** The flow to which what is found belongs: that of the packet last read. */
  flow: number;
  application: ApplicationStreams | undefined;
  /** Who closed it. */
  closedBy: Side | undefined;
}

/** All connections of which the key log has secrets, or may yet get them. */
export class ProtectedConnections {
  readonly #context: DatagramContext;
  readonly #byFlow = new Map<number, Known[]>();
  /** In the order in which they began. */
  readonly #all = new Set<Known>();
  /** Who is addressed by an id, as latin-1; and how many ids are so long. */
  readonly #byId = new Map<string, { readonly known: Known; readonly owner: Side }>();
  readonly #idLengths = new Map<number, number>();
  /** Those that were closed, in that order, and when, ns. */
  readonly #closing = new Map<Known, number>();
  #heldBytes = 0;
  #pendingBytes = 0;

  constructor(context: DatagramContext) {
    this.#context = context;
  }

  /** Packet time has come so far. */
  passed(): void {
    const { now } = this.#context;
    for (const [known, since] of this.#closing) {
      if (!(now - since > CLOSING_NS)) return;
      this.#over(known, 'closed', known.closedBy);
    }
  }

  /** Ids by which connections are recognised on another flow. */
  get ids(): number {
    return this.#byId.size;
  }

  /** Whether there are none: nothing has to be looked for. */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  /** A handshake whose ClientHello was read. */
  start(flow: number, handshake: QuicConnection): void {
    const { keys } = this.#context;
    const { random } = handshake;
    if (keys === undefined || random === undefined) return;
    const before = this.#find(flow, handshake.scid);
    if (before !== undefined) {
      if (Buffer.compare(before.connection.random, random) === 0) return;
      this.#over(before, 'evicted', undefined);
    }
    if (!keys.growing && keys.secretsOf(random) === undefined) return;
    const known: Known = {
      connection: this.#connection(keys, handshake, random, () => known),
      handshake,
      flow,
      application: undefined,
      closedBy: undefined,
    };
    known.connection.flows.add(flow);
    this.#all.add(known);
    const list = this.#byFlow.get(flow) ?? [];
    list.unshift(known);
    this.#byFlow.set(flow, list);
    this.#addId(known, SIDE.client, fromHex(handshake.scid));
    const last = list.length > PER_FLOW_MAXIMUM ? list[list.length - 1] : undefined;
    if (last !== undefined) this.#over(last, 'evicted', undefined);
    if (this.#all.size <= CONNECTIONS_MAXIMUM) return;
    const [oldest] = this.#all;
    if (oldest !== undefined) this.#over(oldest, 'evicted', undefined);
  }

  /** The server's Initial packet shows by which id it is addressed, and in which version it answers. */
  addressed(flow: number, header: LongHeader): void {
    const known = this.#find(flow, header.dcid);
    if (known === undefined) return;
    this.#addId(known, SIDE.server, fromHex(header.scid));
    known.connection.version = header.version;
  }

  /** A packet of the encrypted handshake, or early data. */
  long(flow: number, side: Side, bytes: Uint8Array, header: LongHeader, end: number): void {
    const known = this.#find(flow, side === SIDE.client ? header.scid : header.dcid);
    if (known === undefined) return;
    if (side === SIDE.server) this.#addId(known, SIDE.server, fromHex(header.scid));
    known.flow = flow;
    known.connection.long(side, bytes, header, end, this.#arrival());
  }

  /** A packet with a short header, to its datagram's end. @param whole it was captured to its end */
  short(flow: number, packet: ShortPacket, whole: boolean): void {
    const { side, bytes, start, end } = packet;
    const list = this.#byFlow.get(flow);
    for (const known of list ?? []) {
      const length = known.connection.idLength(side, bytes, start + 1, end);
      if (length < 0) continue;
      this.#short(known, flow, packet, length, whole);
      return;
    }
    // An id that came in a packet that was not captured: ids of a side are mostly of one length.
    const only = list?.length === 1 ? list[0] : undefined;
    const [id] = only?.connection.ids[otherSide(side)] ?? [];
    if (only !== undefined && id !== undefined) {
      this.#short(only, flow, packet, id.length, whole);
      return;
    }
    const moved = list === undefined ? this.#moved(bytes, start, end) : undefined;
    if (moved === undefined || moved.owner === side) return;
    const { known, length } = moved;
    known.connection.flows.add(flow);
    this.#byFlow.set(flow, [known]);
    this.#short(known, flow, packet, length, whole);
  }

  /** Whether a packet of an unknown flow is one of a connection that has moved, and whose. */
  recognise(bytes: Uint8Array, start: number, end: number): Likeness {
    if (this.#byId.size === 0 || (u8(bytes, start) & 0x80) !== 0) return 'no';
    const moved = this.#moved(bytes, start, end);
    if (moved === undefined) return 'no';
    return moved.owner === SIDE.server ? 'client' : 'server';
  }

  endFlow(flow: number): void {
    for (const known of [...(this.#byFlow.get(flow) ?? [])]) {
      const { flows } = known.connection;
      if (flows.size === 1) this.#over(known, 'expired', undefined);
      else {
        flows.delete(flow);
        const [other] = flows;
        if (known.flow === flow && other !== undefined) known.flow = other;
      }
    }
    this.#byFlow.delete(flow);
  }

  end(): void {
    for (const known of [...this.#all]) this.#over(known, 'capture ended', undefined);
  }

  #short(known: Known, flow: number, packet: ShortPacket, idLength: number, whole: boolean): void {
    known.flow = flow;
    known.connection.short(packet, idLength, whole, this.#arrival());
  }

  #arrival() {
    const { now, clock = 0 } = this.#context;
    return { now, clock };
  }

  #find(flow: number, clientId: string): Known | undefined {
    return this.#byFlow.get(flow)?.find(({ handshake }) => handshake.scid === clientId);
  }

  /** The connection of another flow that a packet with a short header belongs to: an id of it, and a tag that verifies. */
  #moved(bytes: Uint8Array, start: number, end: number) {
    for (const length of this.#idLengths.keys()) {
      if (start + 1 + length > end) continue;
      const found = this.#byId.get(latin1(bytes, start + 1, start + 1 + length));
      if (found === undefined) continue;
      const isOwn = found.known.connection.isOwn(otherSide(found.owner), bytes, start, end, length);
      return isOwn ? { ...found, length } : undefined;
    }
    return undefined;
  }

  #addId(known: Known, owner: Side, id: string): void {
    const { connection } = known;
    if (connection.ids[owner].has(id)) return;
    const forgotten = connection.addId(owner, id);
    if (forgotten !== undefined) this.#forgetId(connection, forgotten);
    if (id.length < TELLING_ID_BYTES || this.#byId.has(id)) return;
    this.#byId.set(id, { known, owner });
    this.#idLengths.set(id.length, (this.#idLengths.get(id.length) ?? 0) + 1);
  }

  #forgetId(connection: ProtectedConnection, id: string): void {
    if (this.#byId.get(id)?.known.connection !== connection) return;
    this.#byId.delete(id);
    const left = (this.#idLengths.get(id.length) ?? 1) - 1;
    if (left > 0) this.#idLengths.set(id.length, left);
    else this.#idLengths.delete(id.length);
  }

  #over(known: Known, how: StreamEnd, by: Side | undefined): void {
    if (!this.#all.delete(known)) return;
    this.#closing.delete(known);
    if (known.closedBy === undefined) known.connection.end(how, by);
    else known.connection.end('closed', known.closedBy);
    for (const ids of known.connection.ids) for (const id of ids) this.#forgetId(known.connection, id);
    for (const flow of known.connection.flows) {
      const list = this.#byFlow.get(flow)?.filter((other) => other !== known) ?? [];
      if (list.length > 0) this.#byFlow.set(flow, list);
      else this.#byFlow.delete(flow);
    }
  }

  #connection(keys: KeyLog, handshake: QuicConnection, random: Uint8Array, known: () => Known): ProtectedConnection {
    return new ProtectedConnection(
      {
        keys,
        reserve: (bytes) => this.#take(bytes),
        cipher: () => handshake.handshake.server?.cipher,
        onHandshake: (side, message) => handshake.onDecrypted(side, message, this.#context.detail),
        application: () => this.#application(known()),
        onClose: (side, error, reason, isApplication, level) => {
          this.#closed(known(), side, { error, reason, isApplication, level });
        },
        onNewId: (side, id) => this.#addId(known(), side, id),
        onNotDecrypted: (why) => this.#notDecrypted(known(), why),
      },
      random,
      handshake.version,
    );
  }

  /** HTTP/3 where that was agreed on, or nothing else was offered. */
  #application(known: Known): ApplicationStreams | undefined {
    if (known.application !== undefined) return known.application;
    const { client, alpn } = known.handshake.handshake;
    const offered = alpn === undefined ? (client?.alpn ?? []) : [alpn];
    if (offered.length === 0 || !offered.every(isHttp3)) return undefined;
    known.application = new Http3Connection(this.#applicationContext(known));
    return known.application;
  }

  #applicationContext(known: Known): ApplicationContext {
    const { detail, labels, showSecrets, bodies } = this.#context;
    const { connection } = known;
    return {
      detail,
      labels,
      showSecrets,
      bodies,
      emit: (event) => this.#context.emit(known.flow, event),
      reserve: (bytes) => this.#take(bytes),
      countPending: (bytes) => {
        this.#pendingBytes += bytes;
        return this.#pendingBytes <= PENDING_TOTAL_BYTES;
      },
      get serverNumber() {
        return connection.serverNumber;
      },
      isServerWhole: (number) => connection.isServerWhole(number),
    };
  }

  #take(bytes: number): boolean {
    if (bytes > 0 && this.#heldBytes + bytes > HELD_TOTAL_BYTES) return false;
    this.#heldBytes += bytes;
    return true;
  }

  #closed(
    known: Known,
    side: Side,
    close: { readonly error: number; readonly reason: string; readonly isApplication: boolean; readonly level: Level },
  ): void {
    // Sent again.
    if (known.closedBy !== undefined) return;
    const { error, isApplication, level } = close;
    const reason = this.#context.showSecrets ? close.reason : maskText(close.reason);
    if (level === 'handshake') known.handshake.closedBy(side, error, reason, this.#context.now);
    const isHttp3 = isApplication && known.application !== undefined;
    const isFault = error !== 0 && !(isHttp3 && isNoHttp3Error(error));
    if (isFault) {
      const name = isHttp3
        ? http3ErrorName(error)
        : isApplication
          ? `error 0x${error.toString(16)}`
          : quicErrorName(error);
      this.#context.emit(known.flow, {
        kind: 'event',
        protocol: 'quic',
        time: this.#context.now,
        from: side,
        code: QUIC_CLOSE,
        label: oneLine(`closed: ${name}${reason === '' ? '' : ` ${reason}`}`),
        failed: true,
        fields: { quic: { scid: known.handshake.scid, error: name } },
      });
    }
    known.closedBy = side;
    if (this.#all.has(known)) this.#closing.set(known, this.#context.now);
  }

  #notDecrypted(known: Known, why: string): void {
    this.#context.emit(known.flow, {
      kind: 'event',
      protocol: 'quic',
      time: this.#context.now,
      from: undefined,
      code: QUIC_NOT_DECRYPTED,
      label: `QUIC not decrypted: ${why}`,
      failed: false,
      fields: { quic: { scid: known.handshake.scid } },
    });
  }
}

function isHttp3(name: string): boolean {
  return name === 'h3' || /^h3-\d{2}$/.test(name);
}

function fromHex(id: string): string {
  return Buffer.from(id, 'hex').toString('latin1');
}
