import { type Notice, SIDE, type Side } from '../../../record/event.ts';
import type { StreamContext, StreamEnd } from '../../protocol.ts';
import { ALERT_LEVEL } from '../alerts.ts';
import { EXTENSION, eachExtension } from '../extensions.ts';
import type { ServerHello } from '../server-hello.ts';
import { isTls13, VERSION, versionName } from '../versions.ts';
import { DecryptedDirection } from './direction.ts';
import { type Arrival, InnerStream, type Recognise } from './inner-stream.ts';
import type { ConnectionSecrets, KeyLog } from './key-log.ts';
import type { PieceFacts } from './protected-records.ts';
import { type Stage, tls12Stages, tls13Stages } from './stages.ts';

/** The code of the event of a connection that has keys in the key log and is not decrypted, or only in part. */
export const TLS_NOT_DECRYPTED = 'TLS_NOT_DECRYPTED';

const ENCRYPTED_EXTENSIONS = 8;
/** Alerts by which a side ends its stream, or gives up a handshake without a fault. */
const CLOSE_NOTIFY = 0;
const USER_CANCELED = 90;
/** Bytes of early data kept until the server accepts them. */
const EARLY_BYTES = 64 * 1024;

/** Bytes that a connection, and all of them, hold until secrets come; and what a piece takes besides its bytes. */
const HELD_BYTES = 256 * 1024;
const HELD_TOTAL_BYTES = 32 * 1024 * 1024;
const PIECE_BYTES = 128;

/** A piece of a direction's stream, or a hole in it: without bytes. */
interface Held {
  readonly side: Side;
  readonly bytes: Uint8Array | undefined;
  readonly length: number;
  readonly facts: PieceFacts;
}

/** What makes decryption possible: secrets, and how what is found is recognised. */
export interface DecryptionMeans {
  readonly keys: KeyLog;
  readonly recognition: Recognise;
}

/** Takes what a connection's handshake says once it is decrypted. */
export interface DecryptionSink {
  /** A message of TLS 1.3's encrypted handshake, from behind its header on. */
  onDecrypted(side: Side, type: number, bytes: Uint8Array, start: number, end: number): void;
  onAlert(side: Side, level: number, description: number): void;
}

/** One connection's records, decrypted with the secrets of a key log; what they carry is a stream of its own. */
export class Decryption {
  /** Nothing of this connection will be decrypted: its keys did not come. */
  over = false;
  readonly #context: StreamContext;
  readonly #means: DecryptionMeans;
  readonly #sink: DecryptionSink;
  readonly #directions: readonly [DecryptedDirection, DecryptedDirection];
  /** Offsets of both streams behind what has come. */
  readonly #ends: [number, number] = [0, 0];
  #secrets: ConnectionSecrets | undefined;
  #clientRandom: Uint8Array = new Uint8Array(0);
  #server: ServerHello | undefined;
  #stages: [readonly Stage[], readonly Stage[]] = [[], []];
  #inner: InnerStream | undefined;
  /** Early data that the server has not accepted yet. */
  #early: { readonly bytes: Uint8Array; readonly arrival: Arrival }[] = [];
  #earlyBytes = 0;
  /** What came since the ClientHello of a connection whose secrets may yet come; undefined for others. */
  #held: Held[] | undefined;
  #heldBytes = 0;
  #serverRandom: Uint8Array | undefined;
  /** The key log's version when it was last asked. */
  #asked = 0;
  #told = false;

  constructor(context: StreamContext, means: DecryptionMeans, sink: DecryptionSink) {
    this.#context = context;
    this.#means = means;
    this.#sink = sink;
    this.#directions = [this.#direction(SIDE.client), this.#direction(SIDE.server)];
  }

  /** @param random the ClientHello's, 32 bytes @returns whether there are secrets of this connection, or may yet come */
  onClientHello(random: Uint8Array): boolean {
    if (this.#secrets !== undefined) return true;
    const { keys } = this.#means;
    this.#clientRandom = Uint8Array.from(random);
    this.#asked = keys.version;
    this.#secrets = keys.secretsOf(random);
    if (this.#secrets === undefined && !keys.growing) return false;
    if (this.#secrets === undefined) this.#held = [];
    else this.#stages = this.#tls13(undefined);
    return true;
  }

  /** @param random the ServerHello's */
  onServerHello(hello: ServerHello, random: Uint8Array): void {
    const secrets = this.#secrets;
    if (hello.retry) return;
    this.#server = hello;
    this.#serverRandom = random;
    if (secrets === undefined) return;
    if (isTls13(hello.version)) {
      this.#stages = this.#tls13(hello.cipher);
      return;
    }
    if (hello.version !== VERSION.tls12) {
      this.#tell(`${versionName(hello.version)} is not decrypted`, undefined);
      return;
    }
    const { cipher, encryptThenMac } = hello;
    const stages = tls12Stages({
      secrets,
      cipher,
      clientRandom: this.#clientRandom,
      serverRandom: random,
      encryptThenMac,
    });
    if (stages === undefined) {
      const why = secrets.master === undefined ? 'the key log has no master secret of it' : 'its cipher suite';
      this.#tell(why, undefined);
    } else this.#stages = [[stages[0]], [stages[1]]];
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { offset, acknowledged, now } = this.#context;
    const facts = { offset, acknowledged, time: now };
    this.#ends[side] = offset + end - start;
    if (this.#held !== undefined && this.#hold({ side, bytes: bytes.slice(start, end), length: end - start, facts }))
      return;
    this.#directions[side].data(bytes, start, end, facts);
  }

  gap(side: Side, length: number): void {
    this.#ends[side] += length;
    const offset = this.#ends[side];
    const facts = { offset, acknowledged: -1, time: this.#context.now };
    if (this.#held !== undefined && this.#hold({ side, bytes: undefined, length, facts })) return;
    this.#directions[side].gap(length, offset);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#release();
    this.#inner?.end(how, by);
  }

  /** Keep a piece until the secrets come. @returns false when they have come: what was held is handed on */
  #hold(piece: Held): boolean {
    const { keys } = this.#means;
    const held = this.#held ?? [];
    if (this.#asked !== keys.version) {
      this.#asked = keys.version;
      this.#secrets = keys.secretsOf(this.#clientRandom);
    }
    if (this.#secrets !== undefined) {
      this.#release();
      this.#stages = this.#tls13(undefined);
      if (this.#server !== undefined && this.#serverRandom !== undefined) {
        this.onServerHello(this.#server, this.#serverRandom);
      }
      for (const { side, bytes, length, facts } of held) {
        if (bytes === undefined) this.#directions[side].gap(length, facts.offset);
        else this.#directions[side].data(bytes, 0, bytes.length, facts);
      }
      return false;
    }
    const size = (piece.bytes?.length ?? 0) + PIECE_BYTES;
    if (this.#heldBytes + size > HELD_BYTES || keys.heldBytes + size > HELD_TOTAL_BYTES) {
      this.#release();
      this.#tell('its keys did not come in time', undefined);
      this.over = true;
      return true;
    }
    this.#heldBytes += size;
    keys.heldBytes += size;
    held.push(piece);
    return true;
  }

  #release(): void {
    this.#means.keys.heldBytes -= this.#heldBytes;
    this.#heldBytes = 0;
    this.#held = undefined;
  }

  #tls13(suite: number | undefined): [Stage[], Stage[]] {
    const secrets = this.#secrets ?? {};
    return [
      [
        ...tls13Stages('early', secrets.clientEarly, suite),
        ...tls13Stages('handshake', secrets.clientHandshake, suite),
        ...tls13Stages('data', secrets.clientTraffic, suite),
      ],
      [
        ...tls13Stages('handshake', secrets.serverHandshake, suite),
        ...tls13Stages('data', secrets.serverTraffic, suite),
      ],
    ];
  }

  #direction(side: Side): DecryptedDirection {
    return new DecryptedDirection({
      stages: () => this.#stages[side],
      isTls12: () => this.#isTls12(),
      onData: (stage, bytes, arrival) => {
        if (stage === 'early') this.#holdEarly(bytes, arrival);
        else this.#stream().data(side, bytes, arrival);
      },
      onMissingData: (length, encryptedEnd) => this.#inner?.gap(side, length, encryptedEnd),
      onHandshake: (type, bytes, start, end) => {
        if (type === ENCRYPTED_EXTENSIONS && side === SIDE.server) this.#decideEarly(bytes, start, end);
        if (!this.#isTls12()) this.#sink.onDecrypted(side, type, bytes, start, end);
      },
      onAlert: (level, description) => {
        if (description === CLOSE_NOTIFY) return;
        // In TLS 1.3 the level says nothing (RFC 8446 section 6).
        const fatal = !this.#isTls12() && description !== USER_CANCELED;
        this.#sink.onAlert(side, fatal ? ALERT_LEVEL.fatal : level, description);
      },
      onGivenUp: (why) => this.#tell(why, side),
    });
  }

  #isTls12(): boolean {
    if (this.#server !== undefined) return !isTls13(this.#server.version);
    return this.#secrets?.master !== undefined;
  }

  #stream(): InnerStream {
    this.#inner ??= new InnerStream(this.#context, this.#means.recognition);
    return this.#inner;
  }

  #holdEarly(bytes: Uint8Array, arrival: Arrival): void {
    this.#earlyBytes += bytes.length;
    if (this.#earlyBytes <= EARLY_BYTES) this.#early.push({ bytes, arrival });
  }

  /** The server's extensions say whether it takes the early data (RFC 8446 section 4.2.10). */
  #decideEarly(bytes: Uint8Array, start: number, end: number): void {
    const held = this.#early;
    this.#early = [];
    let accepted = false;
    eachExtension(bytes, start + 2, end, (type) => {
      if (type === EXTENSION.earlyData) accepted = true;
    });
    if (!accepted || held.length === 0) return;
    const stream = this.#stream();
    for (const { bytes, arrival } of held) stream.data(SIDE.client, bytes, arrival);
    const kept = held.reduce((sum, each) => sum + each.bytes.length, 0);
    const last = held.at(-1)?.arrival.encryptedEnd ?? 0;
    if (kept < this.#earlyBytes) stream.gap(SIDE.client, this.#earlyBytes - kept, last);
  }

  /** Once for a connection. @param side whose bytes; undefined where neither's are decrypted */
  #tell(why: string, side: Side | undefined): void {
    if (this.#told) return;
    this.#told = true;
    const whose = side === undefined ? '' : side === SIDE.client ? ' from the client' : ' from the server';
    const notice: Notice = {
      kind: 'event',
      protocol: 'tls',
      code: TLS_NOT_DECRYPTED,
      label: `TLS not decrypted${this.#inner === undefined ? '' : ' any more'}${whose}: ${why}`,
      time: this.#context.now,
      from: side,
      failed: false,
      fields: {},
    };
    this.#context.emit(notice);
  }
}
