import { TEXT_MAXIMUM } from '../../limits.ts';
import type { Exchange, Incomplete } from '../../record/event.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { readTls13Certificates } from '../tls/certificates.ts';
import { protocolNames, readClientHello } from '../tls/client-hello.ts';
import { HANDSHAKE, HANDSHAKE_HEADER } from '../tls/direction.ts';
import { EXTENSION, eachExtension } from '../tls/extensions.ts';
import { Handshake, tlsFields } from '../tls/handshake.ts';
import { readServerHello } from '../tls/server-hello.ts';
import { CryptoStream } from './crypto-stream.ts';
import { quicErrorName } from './errors.ts';
import { eachFrame, type FrameSink } from './frames.ts';
import { type InitialKeys, initialKeys, openInitial } from './initial-keys.ts';
import type { LongHeader } from './long-header.ts';
import { quicVersion, quicVersionName } from './versions.ts';

/** Initial packets of one connection that are decrypted, or tried. */
const PACKETS_MAXIMUM = 32;
/** Where a hello's random lies, behind its handshake header and version. */
const RANDOM_AT = HANDSHAKE_HEADER + 2;
const RANDOM_BYTES = 32;

/** One connection's handshake, as far as its Initial packets show it. */
export class QuicConnection implements FrameSink {
  readonly handshake = new Handshake();
  /** First byte of the client's first Initial. */
  readonly time: number;
  /** Connection ids of the client's first Initial. */
  readonly dcid: string;
  readonly scid: string;
  /** Bytes of each side's datagrams until the handshake was over. */
  readonly bytes: [number, number] = [0, 0];
  retry = false;
  /** An Initial packet of it could be opened. */
  opened = false;
  /** The client sent packets that it cannot send before its handshake is done. */
  confirmed = false;
  /** Why it was closed in an Initial packet, or in one of the handshake that was decrypted. */
  closed: string | undefined;
  /** The ClientHello's random number, by which key logs name the connection. */
  random: Uint8Array | undefined;
  #version: number;
  /** Of which the keys are made: another one after Retry. */
  #keyId: string;
  #keys: [InitialKeys | undefined, InitialKeys | undefined] = [undefined, undefined];
  #serverVersion = 0;
  #streams: readonly [CryptoStream, CryptoStream] = [new CryptoStream(), new CryptoStream()];
  readonly #largest: [number, number] = [-1, -1];
  #packets = 0;
  #side: Side = SIDE.client;
  #now = 0;

  constructor(first: LongHeader, now: number) {
    this.time = now;
    this.dcid = first.dcid;
    this.scid = first.scid;
    this.#version = first.version;
    this.#keyId = first.dcid;
  }

  /** More Initial packets arrived than are read: their content is not known. */
  get exhausted(): boolean {
    return this.#packets >= PACKETS_MAXIMUM;
  }

  /**
   * An Initial packet.
   * @returns whether it could be opened
   */
  initial(side: Side, bytes: Uint8Array, header: LongHeader, end: number, now: number): boolean {
    this.#side = side;
    this.#now = now;
    if (this.#open(side, bytes, header, end)) return true;
    // Behind a Retry, or a Version Negotiation, the client begins anew with other keys.
    const other = header.dcid !== this.#keyId || header.version !== this.#version;
    if (side !== SIDE.client || !other || this.#streams[SIDE.server].begun) return false;
    const before = { keys: this.#keys, id: this.#keyId, version: this.#version, streams: this.#streams };
    this.#keys = [undefined, undefined];
    this.#streams = [new CryptoStream(), new CryptoStream()];
    this.#keyId = header.dcid;
    this.#version = header.version;
    if (this.#open(side, bytes, header, end)) return true;
    this.#keys = before.keys;
    this.#keyId = before.id;
    this.#version = before.version;
    this.#streams = before.streams;
    return false;
  }

  onCrypto(offset: number, bytes: Uint8Array, start: number, end: number): void {
    const side = this.#side;
    const stream = this.#streams[side];
    if (side === SIDE.server && !stream.begun && Number.isNaN(this.handshake.responseTime)) {
      this.handshake.responseTime = this.#now;
    }
    stream.add(offset, bytes, start, end);
    for (let message = stream.next(); message !== undefined; message = stream.next()) this.#message(side, message);
  }

  onClose(error: number, reason: string): void {
    this.closedBy(this.#side, error, reason, this.#now);
  }

  /** It was closed before it was established. */
  closedBy(side: Side, error: number, reason: string, now: number): void {
    this.closed = quicErrorName(error) + (reason === '' ? '' : ` ${reason}`);
    if (error >= 0x100 && error <= 0x1ff) this.handshake.alert = quicErrorName(error);
    if (side === SIDE.server && Number.isNaN(this.handshake.responseTime)) this.handshake.responseTime = now;
  }

  /** The version that is spoken, as far as is known. */
  get version(): number {
    return this.#serverVersion || this.#version;
  }

  /** A message of the encrypted handshake, with its header. */
  onDecrypted(side: Side, message: Uint8Array, detail: boolean): void {
    const { handshake } = this;
    const end = message.length;
    const type = message[0];
    if (type === HANDSHAKE.encryptedExtensions && side === SIDE.server) {
      eachExtension(message, HANDSHAKE_HEADER + 2, end, (extension, from, to) => {
        if (extension === EXTENSION.alpn) [handshake.alpn] = protocolNames(message, from, to);
      });
    } else if (type === HANDSHAKE.certificateRequest && side === SIDE.server) handshake.clientAuth = 'requested';
    else if (type === HANDSHAKE.certificate) {
      const { count, certificates } = readTls13Certificates(message, HANDSHAKE_HEADER, end, detail);
      if (side === SIDE.server) handshake.certificates = certificates;
      else if (count > 0) {
        handshake.clientAuth = 'given';
        handshake.clientCertificates = certificates;
      }
    }
  }

  /** The handshake as an exchange. @param end when it was over; NaN when that was not seen */
  exchange(end: number, incomplete: Incomplete | undefined, detail: boolean): Exchange {
    const { handshake, closed, bytes } = this;
    const version = quicVersionName(this.#serverVersion || this.#version);
    const { client } = handshake;
    const answered = !Number.isNaN(handshake.responseTime);
    const name = client?.sni ?? (client === undefined ? '(ClientHello not seen)' : 'no SNI');
    const label = `QUICv${version} ${name} ${handshake.alpn ?? client?.alpn.join() ?? ''}`.trim();
    const unknown = answered || this.confirmed || this.exhausted;
    const failure = closed ?? (unknown ? undefined : 'no answer');
    return {
      kind: 'exchange',
      protocol: 'quic',
      label: label.slice(0, TEXT_MAXIMUM).replace(/[\r\n\t]/g, ' '),
      time: this.time,
      requestEnd: Number.isNaN(handshake.requestEnd) ? this.time : handshake.requestEnd,
      responseTime: answered ? handshake.responseTime : undefined,
      responseEnd: answered && !Number.isNaN(end) ? end : undefined,
      requestBytes: bytes[SIDE.client],
      responseBytes: bytes[SIDE.server],
      status: failure ?? `QUICv${version}`,
      failed: failure !== undefined,
      route: name,
      incomplete,
      fields: {
        quic: {
          version,
          dcid: this.dcid,
          scid: this.scid,
          retry: this.retry || undefined,
          error: closed,
        },
        tls: tlsFields(handshake, 'q', detail),
      },
    };
  }

  #open(side: Side, bytes: Uint8Array, header: LongHeader, end: number): boolean {
    if (this.exhausted) return false;
    this.#packets += 1;
    const keys = this.#keysOf(side, header.version);
    const opened = keys === undefined ? undefined : openInitial(keys, bytes, header, end, this.#largest[side]);
    if (opened === undefined) return false;
    this.opened = true;
    if (side === SIDE.server) this.#serverVersion = header.version;
    this.#largest[side] = Math.max(this.#largest[side], opened.number);
    eachFrame(opened.payload, this);
    return true;
  }

  /** A server may answer in another version than it was asked in (RFC 9368). */
  #keysOf(side: Side, number: number): InitialKeys | undefined {
    const version = quicVersion(number);
    if (version === undefined) return undefined;
    if (number !== this.#version) return initialKeys(version, this.#keyId, side === SIDE.client ? 'client' : 'server');
    let keys = this.#keys[side];
    if (keys === undefined) {
      keys = initialKeys(version, this.#keyId, side === SIDE.client ? 'client' : 'server');
      this.#keys[side] = keys;
    }
    return keys;
  }

  #message(side: Side, message: Uint8Array): void {
    const { handshake } = this;
    if (side === SIDE.client && message[0] === HANDSHAKE.clientHello) {
      // Behind a Retry some clients have another one.
      if (message.length >= RANDOM_AT + RANDOM_BYTES) this.random = message.slice(RANDOM_AT, RANDOM_AT + RANDOM_BYTES);
      if (handshake.client !== undefined) return;
      handshake.client = readClientHello(message, HANDSHAKE_HEADER, message.length);
      if (handshake.client === undefined) return;
      handshake.time = this.time;
      handshake.requestEnd = this.#now;
    } else if (side === SIDE.server && message[0] === HANDSHAKE.serverHello) {
      const hello = readServerHello(message, HANDSHAKE_HEADER, message.length);
      if (hello?.retry) handshake.helloRetry = true;
      handshake.server = hello ?? handshake.server;
    }
  }
}
