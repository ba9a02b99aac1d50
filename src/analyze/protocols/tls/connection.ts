import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { ALERT_LEVEL, alertName } from './alerts.ts';
import { readCertificates, readTls13Certificates } from './certificates.ts';
import { type ClientHello, protocolNames, readClientHello } from './client-hello.ts';
import { Decryption } from './decrypt/decryption.ts';
import { HANDSHAKE, TlsDirection, type TlsDirectionSink } from './direction.ts';
import { EXTENSION, eachExtension } from './extensions.ts';
import { Handshake, tlsExchange } from './handshake.ts';
import { RECORD } from './records.ts';
import { readServerHello } from './server-hello.ts';
import { isTls13 } from './versions.ts';

/** What TLS 1.3's protection adds to a record at least (type and an 8-byte tag), and the shortest Finished: SHA-256's. */
const PROTECTION = 9;
const USUAL_PROTECTION = 17;
const FINISHED_MINIMUM = 4 + 32;
/** Where a hello's random lies, behind its version. */
const RANDOM_AT = 2;
const RANDOM_END = RANDOM_AT + 32;

/**
 * One connection's handshake; what follows it is skipped unread, or decrypted where its secrets are known. It is over, as far
 * as can be seen,
 * - in TLS <= 1.2 when both sides' Finished have come: the record behind each ChangeCipherSpec (RFC 5246 section 7.3);
 * - in TLS 1.3 when the client, after the ServerHello, has sent as much encrypted as a Finished takes (an alert is
 *   shorter). Whether the server accepts the client's certificate there cannot be seen.
 */
export class TlsConnection implements StreamAnalyzer, TlsDirectionSink {
  readonly #context: StreamContext;
  #sides: readonly [TlsDirection, TlsDirection] | undefined;
  readonly #handshake = new Handshake();
  /** The times of all bytes so far are known. */
  #timeKnown = true;
  readonly #finished: [boolean, boolean] = [false, false];
  /** The handshake of TLS <= 1.2 went the long way, not resuming a session. */
  #full = false;
  /** Bytes the client sent encrypted: after the ServerHello of TLS 1.3, or where the server is not seen. */
  #protectedBytes = 0;
  /** The client has sent what ends TLS 1.3's handshake. */
  #finishSeen = false;
  /** Where there is a key log: until it proves to have no secrets of this connection. */
  #decryption: Decryption | undefined;

  constructor(context: StreamContext) {
    this.#context = context;
    const { decryption } = context;
    if (decryption !== undefined) this.#decryption = new Decryption(context, decryption, this);
    this.#sides = [new TlsDirection(SIDE.client, this), new TlsDirection(SIDE.server, this)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#sides !== undefined) {
      if (!this.#context.timeKnown) this.#timeKnown = false;
      this.#sides[side].data(bytes, start, end, this.#context.now);
    }
    if (this.#decryption === undefined) return;
    this.#decryption.data(side, bytes, start, end);
    if (this.#decryption.over) this.#decryption = undefined;
    if (this.#finishSeen) this.#over(this.#context.now, undefined, undefined);
  }

  gap(side: Side, length: number): void {
    this.#sides?.[side].gap(length, this.#context.now);

    this.#decryption?.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#endHandshake(how, by);
    this.#decryption?.end(how, by);
  }

  #endHandshake(how: StreamEnd, by: Side | undefined): void {
    const sides = this.#sides;
    const { client, server } = this.#handshake;
    if (sides === undefined || (client === undefined && server === undefined)) {
      this.#stop();
      return;
    }
    if (sides[0].lost || sides[1].lost) this.#over(Number.NaN, undefined, 'response not captured');
    else if (client === undefined || this.#protectedBytes >= FINISHED_MINIMUM || this.#finished[SIDE.client]) {
      // One direction of the connection was not captured, and the other went on.
      this.#over(Number.NaN, undefined, server === undefined ? 'response not captured' : undefined);
    } else this.#brokenOff(how, by);
  }

  /** The connection ended within the handshake, or what was captured of it. */
  #brokenOff(how: StreamEnd, by: Side | undefined): void {
    const answered = this.#handshake.server !== undefined;
    const serverFinished = this.#context.finSeen(SIDE.server);
    const finished = serverFinished || this.#context.finSeen(SIDE.client);
    const endedBy = by ?? (serverFinished ? SIDE.server : finished ? SIDE.client : undefined);
    if (how === 'reset') this.#over(Number.NaN, how, how, endedBy);
    else if (how === 'closed' || (finished && how === 'capture ended')) {
      this.#over(Number.NaN, answered ? 'closed' : 'no answer', answered ? 'closed early' : 'no response', endedBy);
    } else this.#over(Number.NaN, undefined, how === 'capture ended' ? how : 'unknown');
  }

  onHandshake(
    side: Side,
    type: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    first: number,
    last: number,
  ): void {
    if (side === SIDE.client) this.#onClient(type, bytes, start, end, first, last);
    else this.#onServer(type, bytes, start, end, first);
  }

  onClientHello(hello: ClientHello, first: number, last: number): void {
    this.#handshake.client = hello;
    this.#handshake.time = first;
    this.#handshake.requestEnd = last;
  }

  onAlert(side: Side, level: number, description: number): void {
    const fatal = level === ALERT_LEVEL.fatal;
    const name = alertName(description);
    const { now } = this.#context;
    this.#context.emit({
      kind: 'event',
      protocol: 'tls',
      time: now,
      from: side,
      code: 'TLS_ALERT',
      label: `${fatal ? 'fatal' : 'warning'} alert ${name}`,
      failed: fatal,
      fields: { tls: { sni: this.#handshake.client?.sni, alert: name, alertLevel: fatal ? 'fatal' : 'warning' } },
    });
    if (!fatal) return;
    this.#handshake.alert = name;
    if (this.#handshake.client === undefined && this.#handshake.server === undefined) return;
    if (side === SIDE.server && Number.isNaN(this.#handshake.responseTime)) this.#handshake.responseTime = now;
    this.#over(now, name, undefined);
  }

  onChangeCipherSpec(side: Side): void {
    const { client, server } = this.#handshake;
    const direction = this.#sides?.[side];
    if (direction === undefined) return;
    // TLS 1.3 sends one for the looks of it (RFC 8446, appendix D.4), before its hellos are done when it retries.
    const tls13 = server === undefined ? client?.supportedVersions.some(isTls13) : isTls13(server.version);
    if (tls13 && !(server === undefined && this.#full)) return;
    direction.encrypted = true;
    if (!this.#full && side === SIDE.server && server !== undefined) this.#handshake.resumed = true;
  }

  onProtected(side: Side, type: number, length: number): void {
    const { server } = this.#handshake;
    const { now } = this.#context;
    if (server === undefined || isTls13(server.version)) {
      if (side !== SIDE.client) return;
      if (type === RECORD.handshake) this.#finished[SIDE.client] = true;
      this.#protectedBytes += Math.max(0, length - (length < USUAL_PROTECTION ? PROTECTION : USUAL_PROTECTION));
      if (server !== undefined && !server.retry && this.#protectedBytes >= FINISHED_MINIMUM) {
        // What the client's last messages say is known when they are decrypted.
        if (this.#decryption === undefined) this.#over(now, undefined, undefined);
        else this.#finishSeen = true;
      }
      return;
    }
    const other = side === SIDE.client ? SIDE.server : SIDE.client;
    if (type === RECORD.handshake) {
      this.#finished[side] = true;
      if (this.#finished[other]) this.#over(now, undefined, undefined);
    } else if (type === RECORD.applicationData && this.#sides?.[side].encrypted) {
      // A client may send data before the server's Finished (RFC 7918), a server not before the client's.
      if (side === SIDE.server || this.#sides[other].lost) this.#over(now, undefined, undefined);
    }
  }

  isEarly(side: Side): boolean {
    return side === SIDE.server && this.#handshake.client === undefined;
  }

  onLost(side: Side, foreign: boolean): void {
    if (!foreign || side === SIDE.client || this.#handshake.client === undefined) return;
    const { now } = this.#context;
    this.#handshake.responseTime = now;
    this.#over(now, 'answer is not TLS', undefined);
  }

  onDecrypted(side: Side, type: number, bytes: Uint8Array, start: number, end: number): void {
    const handshake = this.#handshake;
    if (type === HANDSHAKE.encryptedExtensions && side === SIDE.server) {
      eachExtension(bytes, start + 2, end, (extension, from, to) => {
        if (extension === EXTENSION.alpn) [handshake.alpn] = protocolNames(bytes, from, to);
      });
    } else if (type === HANDSHAKE.certificateRequest && side === SIDE.server) handshake.clientAuth = 'requested';
    else if (type === HANDSHAKE.certificate) {
      const { count, certificates } = readTls13Certificates(bytes, start, end, this.#context.detail);
      if (side === SIDE.server) handshake.certificates = certificates;
      else if (count > 0) {
        handshake.clientAuth = 'given';
        handshake.clientCertificates = certificates;
      }
    }
  }

  #onClient(type: number, bytes: Uint8Array, start: number, end: number, first: number, last: number): void {
    const handshake = this.#handshake;
    if (type === HANDSHAKE.clientHello) {
      const hello = handshake.client === undefined ? readClientHello(bytes, start, end) : undefined;
      if (hello === undefined) return;
      this.onClientHello(hello, first, last);
      const random = bytes.subarray(start + RANDOM_AT, start + RANDOM_END);
      if (this.#decryption?.onClientHello(random) === false) this.#decryption = undefined;
    } else if (type === HANDSHAKE.certificate) {
      const { count, certificates } = readCertificates(bytes, start, end, this.#context.detail);
      if (count === 0) return;
      handshake.clientAuth = 'given';
      handshake.clientCertificates = certificates;
    } else if (type === HANDSHAKE.clientKeyExchange) this.#full = true;
  }

  #onServer(type: number, bytes: Uint8Array, start: number, end: number, first: number): void {
    const handshake = this.#handshake;
    if (type === HANDSHAKE.serverHello || type === HANDSHAKE.helloRetryRequest) {
      if (Number.isNaN(handshake.responseTime)) handshake.responseTime = first;
      if (type === HANDSHAKE.helloRetryRequest) handshake.helloRetry = true;
      const hello = type === HANDSHAKE.serverHello ? readServerHello(bytes, start, end) : undefined;
      if (hello === undefined) return;
      if (hello.retry) {
        handshake.helloRetry = true;
        this.#protectedBytes = 0;
      }
      handshake.server = hello;
      this.#decryption?.onServerHello(hello, bytes.slice(start + RANDOM_AT, start + RANDOM_END));
    } else if (type === HANDSHAKE.certificate) {
      this.#full = true;
      handshake.certificates = readCertificates(bytes, start, end, this.#context.detail).certificates;
    } else if (type === HANDSHAKE.certificateRequest) handshake.clientAuth = 'requested';
    else if (type === HANDSHAKE.serverHelloDone) this.#full = true;
  }

  /** @param endedBy who broke it off */
  #over(end: number, failure: string | undefined, incomplete: Incomplete | undefined, endedBy?: Side): void {
    const sides = this.#sides;
    if (sides === undefined) return;
    const [{ reader: client }, { reader: server }] = sides;
    const outcome = {
      end,
      failure,
      incomplete,
      endedBy,
      requestBytes: client.bytes,
      responseBytes: server.bytes,
      timeKnown: this.#timeKnown,
    };
    this.#stop();
    this.#context.emit(tlsExchange(this.#handshake, outcome, this.#context.detail));
  }

  #stop(): void {
    if (this.#sides === undefined) return;
    for (const direction of this.#sides) direction.stop();
    this.#sides = undefined;
  }
}
