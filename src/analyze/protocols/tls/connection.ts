import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { ALERT_LEVEL, alertName } from './alerts.ts';
import { certificateMisfit, type Misfit, UNUSED_STATUS } from './certificate-fit.ts';
import { readCertificates, readTls13Certificates } from './certificates.ts';
import { type ClientHello, protocolNames, readClientHello } from './client-hello.ts';
import { Decryption } from './decrypt/decryption.ts';
import { HANDSHAKE, TlsDirection, type TlsDirectionSink } from './direction.ts';
import { EXTENSION, eachExtension } from './extensions.ts';
import { Handshake, type Outcome, tlsExchange } from './handshake.ts';
import { meshOf } from './mesh.ts';
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

/** A complete handshake with a certificate that clients reject: what the client does next decides whether it failed. */
interface Held {
  readonly outcome: Outcome;
  readonly misfit: Misfit;
  /** The client had closed before the server sent more. */
  hasLeft: boolean;
}

/**
 * One connection's handshake; what follows it is skipped unread, or decrypted where its secrets are known. It is over, as far
 * as can be seen,
 * - in TLS <= 1.2 when both sides' Finished have come: the record behind each ChangeCipherSpec (RFC 5246 section 7.3);
 * - in TLS 1.3 when the client, after the ServerHello, has sent as much encrypted as a Finished takes (an alert is
 *   shorter). Whether the server accepts the client's certificate there cannot be seen.
 */
export class TlsConnection implements StreamAnalyzer, TlsDirectionSink {
  readonly #context: StreamContext;
  readonly #carried: StreamProtocol['create'] | undefined;
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
  /** TLS <= 1.2: the client has sent data. */
  #clientData = false;
  #held: Held | undefined;
  /** Where there is a key log: until it proves to have no secrets of this connection. */
  #decryption: Decryption | undefined;
  /** A byte of the connection, or a gap, has come. */
  #begun = false;

  /** @param carried reads what is decrypted; undefined: its protocol is recognised */
  constructor(context: StreamContext, carried?: StreamProtocol['create']) {
    this.#context = context;
    this.#carried = carried;
    this.#sides = [new TlsDirection(SIDE.client, this), new TlsDirection(SIDE.server, this)];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (!this.#begun) this.#begin();
    // Whatever the client sends behind its Finished: it goes on, or gives a reason that is encrypted.
    if (side === SIDE.client && this.#held !== undefined) this.#release(undefined);
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
    if (!this.#begun) this.#begin();
    this.#release(undefined);
    this.#sides?.[side].gap(length, this.#context.now);
    this.#decryption?.gap(side, length);
  }

  /** Where another protocol began the connection, the secrets in a capture stand between its request for TLS and the ClientHello. */
  #begin(): void {
    this.#begun = true;
    const { decryption } = this.#context;
    const carried = this.#carried;
    if (decryption !== undefined) this.#decryption = new Decryption(this.#context, { ...decryption, carried }, this);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#endHandshake(how, by);
    this.#decryption?.end(how, by);
  }

  #endHandshake(how: StreamEnd, by: Side | undefined): void {
    if (this.#held !== undefined) {
      this.#release(this.#hasClientLeft(this.#held, how, by) ? this.#held.misfit : undefined);
      return;
    }
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

  /** Whether the client, and not the server, ended a connection after its handshake. */
  #hasClientLeft({ hasLeft }: Held, how: StreamEnd, by: Side | undefined): boolean {
    if (how === 'closed') return by === SIDE.client;
    if (how === 'reset') return by === SIDE.client && (hasLeft || !this.#context.finSeen(SIDE.server));
    if (how !== 'capture ended') return false;
    return hasLeft || (this.#context.finSeen(SIDE.client) && !this.#context.finSeen(SIDE.server));
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
    this.#handshake.mesh = meshOf(hello.alpn, hello.sni, this.#context.serverPort);
    this.#handshake.time = first;
    this.#handshake.requestEnd = last;
  }

  onAlert(side: Side, level: number, description: number): void {
    this.#release(undefined);
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
    if (this.#held !== undefined) {
      this.#afterHandshake();
      return;
    }
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
    if (side === SIDE.client && type !== RECORD.handshake) this.#clientData = true;
    if (type === RECORD.handshake) {
      this.#finished[side] = true;
      if (this.#finished[other]) this.#complete(now);
    } else if (type === RECORD.applicationData && this.#sides?.[side].encrypted) {
      // A client may send data before the server's Finished (RFC 7918), a server not before the client's.
      if (side === SIDE.server || this.#sides[other].lost) this.#over(now, undefined, undefined);
    }
  }

  isEarly(side: Side): boolean {
    return side === SIDE.server && this.#handshake.client === undefined;
  }

  onLost(side: Side, foreign: boolean): void {
    this.#release(undefined);
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
      if (this.#decryption?.onClientHello(random, hello.earlyData) === false) this.#decryption = undefined;
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

  /** The server sends a record behind its Finished. */
  #afterHandshake(): void {
    if (this.#held === undefined) return;
    if (this.#context.finSeen(SIDE.client)) this.#held.hasLeft = true;
    else this.#release(undefined);
  }

  /** Both sides' Finished of TLS <= 1.2 have come. */
  #complete(now: number): void {
    const sides = this.#sides;
    const { client, certificates, time } = this.#handshake;
    if (sides === undefined) return;
    const [{ reader, lost }, { lost: serverLost }] = sides;
    const isClientSilent = !this.#clientData && reader.seen === reader.length && !lost && !serverLost;
    const misfit =
      client !== undefined && isClientSilent && this.#full
        ? certificateMisfit(
            certificates,
            (client.sni ?? '').toLowerCase(),
            this.#context.wallTime?.(time) ?? Number.NaN,
          )
        : undefined;
    if (misfit === undefined) this.#over(now, undefined, undefined);
    else this.#held = { outcome: this.#outcome(sides, now), misfit, hasLeft: false };
  }

  /** What was held is handed on. @param misfit undefined where the handshake did not fail, as far as can be seen */
  #release(misfit: Misfit | undefined): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#stop();
    const failure = misfit === undefined ? undefined : UNUSED_STATUS[misfit];
    this.#context.emit(tlsExchange(this.#handshake, { ...held.outcome, failure }, this.#context.detail));
  }

  #outcome([{ reader: client }, { reader: server }]: readonly [TlsDirection, TlsDirection], end: number): Outcome {
    return {
      end,
      failure: undefined,
      incomplete: undefined,
      endedBy: undefined,
      requestBytes: client.bytes,
      responseBytes: server.bytes,
      timeKnown: this.#timeKnown,
    };
  }

  /** @param endedBy who broke it off */
  #over(end: number, failure: string | undefined, incomplete: Incomplete | undefined, endedBy?: Side): void {
    const sides = this.#sides;
    if (sides === undefined) return;
    const outcome = { ...this.#outcome(sides, end), failure, incomplete, endedBy };
    this.#stop();
    this.#context.emit(tlsExchange(this.#handshake, outcome, this.#context.detail));
  }

  #stop(): void {
    if (this.#sides === undefined) return;
    for (const direction of this.#sides) direction.stop();
    this.#sides = undefined;
  }
}
