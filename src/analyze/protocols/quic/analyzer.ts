import { i32, u8 } from '../../bytes.ts';
import { PENDING_DATAGRAMS } from '../../limits.ts';
import { SIDE, type Side } from '../../record/event.ts';
import type { DatagramAnalyzer, DatagramContext, Likeness } from '../protocol.ts';
import { QuicConnection } from './connection.ts';
import { isLong, type LongHeader, readLongHeader } from './long-header.ts';
import { ProtectedConnections } from './protected-connections.ts';
import { PACKET, quicVersionName } from './versions.ts';

/** Versions reported of a Version Negotiation packet. */
const VERSIONS_MAXIMUM = 16;

/**
 * QUIC's handshakes. One is over, as far as can be seen, with the client's first packet with a short header after the
 * ServerHello; what follows is skipped unread, or decrypted where its secrets are known.
 */
export class Quic implements DatagramAnalyzer {
  readonly #context: DatagramContext;
  /** Handshakes under way. */
  readonly #open = new Map<number, QuicConnection>();
  /** The client's connection id of the handshake that a flow has behind it. */
  readonly #done = new Map<number, string>();
  readonly #protected: ProtectedConnections;

  constructor(context: DatagramContext) {
    this.#context = context;
    this.#protected = new ProtectedConnections(context);
  }

  datagram(flow: number, side: Side, bytes: Uint8Array, start: number, end: number, wireLength: number): void {
    if (end <= start) return;
    if (!this.#protected.isEmpty) this.#protected.passed();
    if (!isLong(u8(bytes, start))) {
      const whole = end - start >= wireLength;
      if (!this.#protected.isEmpty) this.#protected.short(flow, { side, bytes, datagram: start, start, end }, whole);
      if (this.#open.size > 0) this.#short(flow, side, u8(bytes, start), wireLength);
      return;
    }
    let counted = false;
    for (let at = start; at < end; ) {
      if (!isLong(u8(bytes, at))) {
        const whole = end - start >= wireLength;
        if (!this.#protected.isEmpty)
          this.#protected.short(flow, { side, bytes, datagram: start, start: at, end }, whole);
        this.#short(flow, side, u8(bytes, at), 0);
        return;
      }
      const header = readLongHeader(bytes, at, end, this.#open.has(flow));
      if (header === undefined) return;
      this.#packet(flow, side, bytes, header, end);
      const connection = this.#open.get(flow);
      if (connection !== undefined && !counted) connection.bytes[side] += wireLength;
      counted = true;
      if (connection?.closed !== undefined) this.#over(flow, connection, this.#context.now);
      at = header.end;
    }
  }

  endFlow(flow: number): void {
    const connection = this.#open.get(flow);
    if (connection !== undefined) this.#over(flow, connection, Number.NaN);
    this.#done.delete(flow);
    this.#protected.endFlow(flow);
  }

  recognise(bytes: Uint8Array, start: number, end: number): Likeness {
    return this.#protected.recognise(bytes, start, end);
  }

  end(): void {
    for (const [flow, connection] of this.#open) this.#over(flow, connection, Number.NaN);
    this.#done.clear();
    this.#protected.end();
  }

  #packet(flow: number, side: Side, bytes: Uint8Array, header: LongHeader, end: number): void {
    if (header.version === 0) {
      if (side === SIDE.server) this.#onVersions(flow, bytes, header, end);
    } else if (header.kind === PACKET.retry) {
      if (side === SIDE.server) this.#onRetry(flow);
    } else if (header.kind === PACKET.initial) {
      this.#onInitial(flow, side, bytes, header, end);
      const connection = this.#open.get(flow);
      if (connection?.random !== undefined) this.#protected.start(flow, connection);
      if (side === SIDE.server) this.#protected.addressed(flow, header);
    } else if (header.kind !== undefined && !this.#protected.isEmpty) {
      this.#protected.long(flow, side, bytes, header, end);
    }
  }

  #onInitial(flow: number, side: Side, bytes: Uint8Array, header: LongHeader, end: number): void {
    const { now } = this.#context;
    const known = this.#open.get(flow);
    if (known !== undefined && (side === SIDE.server || header.scid === known.scid)) {
      known.initial(side, bytes, header, end, now);
      return;
    }
    // Another connection of the same two ports has another id of the client.
    if (side === SIDE.server || this.#done.get(flow) === header.scid) return;
    const connection = new QuicConnection(header, now);
    // A packet that the capture cut cannot be decrypted, but it gives the keys of the server's answer.
    if (!connection.initial(side, bytes, header, end, now) && header.end <= end) return;
    if (known !== undefined) this.#over(flow, known, Number.NaN);
    this.#open.set(flow, connection);
    if (this.#open.size <= PENDING_DATAGRAMS) return;
    const [oldest] = this.#open;
    if (oldest !== undefined) this.#over(oldest[0], oldest[1], Number.NaN);
  }

  #short(flow: number, side: Side, first: number, wireLength: number): void {
    const connection = this.#open.get(flow);
    // Zeros may pad a datagram. The fixed bit need not be set (RFC 9287).
    if (connection === undefined || first === 0) return;
    connection.bytes[side] += wireLength;
    if (side === SIDE.server) return;
    connection.confirmed = true;
    if (!Number.isNaN(connection.handshake.responseTime)) this.#over(flow, connection, this.#context.now);
  }

  #onRetry(flow: number): void {
    const connection = this.#open.get(flow);
    if (connection !== undefined) connection.retry = true;
    this.#context.emit(flow, {
      kind: 'event',
      protocol: 'quic',
      time: this.#context.now,
      from: SIDE.server,
      code: 'QUIC_RETRY',
      label: 'Retry: the client must show that it has its address',
      failed: false,
      fields: { quic: { scid: connection?.scid } },
    });
  }

  #onVersions(flow: number, bytes: Uint8Array, header: LongHeader, end: number): void {
    const versions: string[] = [];
    for (let at = header.body; at + 4 <= end && versions.length < VERSIONS_MAXIMUM; at += 4) {
      versions.push(quicVersionName(i32(bytes, at) >>> 0));
    }
    this.#context.emit(flow, {
      kind: 'event',
      protocol: 'quic',
      time: this.#context.now,
      from: SIDE.server,
      code: 'QUIC_VERSION_NEGOTIATION',
      label: `the server speaks versions ${versions.join(', ')}`,
      failed: false,
      fields: { quic: { versions } },
    });
  }

  #over(flow: number, connection: QuicConnection, end: number): void {
    this.#open.delete(flow);
    this.#done.set(flow, connection.scid);
    if (!connection.opened) return;
    const over = connection.closed !== undefined || !Number.isNaN(end);
    const unread = connection.handshake.client === undefined || (!over && connection.exhausted);
    const incomplete = unread ? 'response not captured' : over ? undefined : 'no response';
    this.#context.emit(flow, connection.exchange(end, incomplete, this.#context.detail));
  }
}
