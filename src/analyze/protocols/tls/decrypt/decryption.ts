import { type Notice, SIDE, type Side } from '../../../record/event.ts';
import type { StreamContext, StreamEnd, StreamProtocol } from '../../protocol.ts';
import { ALERT_LEVEL } from '../alerts.ts';
import { HANDSHAKE } from '../direction.ts';
import { EXTENSION, eachExtension } from '../extensions.ts';
import type { ServerHello } from '../server-hello.ts';
import { isTls13, VERSION, versionName } from '../versions.ts';
import { DecryptedDirection } from './direction.ts';
import { type Arrival, InnerStream, type Recognise } from './inner-stream.ts';
import { type ConnectionSecrets, isComplete, type KeyLog } from './key-log.ts';
import type { PieceFacts } from './protected-records.ts';
import { type Stage, tls12Stages, tls13Stages } from './stages.ts';

/** The code of the event of a connection that has keys in the key log and is not decrypted, or only in part. */
export const TLS_NOT_DECRYPTED = 'TLS_NOT_DECRYPTED';

const END_OF_EARLY_DATA = 5;
/** Alerts by which a side ends its stream, or gives up a handshake without a fault. */
const CLOSE_NOTIFY = 0;
const USER_CANCELED = 90;
/** Bytes of early data kept until the server accepts them. */
const EARLY_BYTES = 64 * 1024;

/**
 * Bytes that a connection holds until secrets come, those that all of them hold, records under way included; and what a piece
 * takes besides its bytes.
 */
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
  /** Reads what is decrypted, where its protocol is known. */
  readonly carried?: StreamProtocol['create'] | undefined;
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
  #earlyOffered = false;
  #server: ServerHello | undefined;
  #stages: [readonly Stage[], readonly Stage[]] = [[], []];
  #inner: InnerStream | undefined;
  /** Early data that the server has not accepted yet. */
  #early: { readonly bytes: Uint8Array; readonly arrival: Arrival }[] = [];
  #earlyBytes = 0;
  /** What the pieces of it take in memory. */
  #earlySize = 0;
  #earlyFate: 'undecided' | 'accepted' | 'rejected' = 'undecided';
  /** Data missing ahead of the first that was decrypted, and where that ends in the encrypted stream. */
  readonly #missed: [number, number] = [0, 0];
  readonly #missedEnds: [number, number] = [0, 0];
  /** What came since the ClientHello of a connection whose secrets may yet come; undefined for others. */
  #held: Held[] | undefined;
  #heldBytes = 0;
  #serverRandom: Uint8Array | undefined;
  /** The key log's version when it was last asked. */
  #asked = 0;
  #told = false;
  #isDecrypted = false;

  constructor(context: StreamContext, means: DecryptionMeans, sink: DecryptionSink) {
    this.#context = context;
    this.#means = means;
    this.#sink = sink;
    this.#directions = [this.#direction(SIDE.client), this.#direction(SIDE.server)];
  }

  /**
   * @param random the ClientHello's, 32 bytes
   * @param earlyOffered it says that early data follows
   * @returns whether there are secrets of this connection, or may yet come
   */
  onClientHello(random: Uint8Array, earlyOffered = false): boolean {
    this.#earlyOffered = earlyOffered;
    if (this.#secrets !== undefined) return true;
    const { keys } = this.#means;
    this.#clientRandom = Uint8Array.from(random);
    this.#asked = keys.version;
    this.#secrets = keys.secretsOf(random);
    if (this.#secrets === undefined && !keys.growing) return false;
    if (keys.growing && !isComplete(this.#secrets)) this.#held = [];
    else this.#stages = this.#tls13(undefined);
    return true;
  }

  /** @param random the ServerHello's */
  onServerHello(hello: ServerHello, random: Uint8Array): void {
    const secrets = this.#secrets;
    if (hello.retry) return;
    this.#server = hello;
    this.#serverRandom = random;
    if (secrets === undefined || this.#held !== undefined) return;
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
    if (this.#held !== undefined) {
      this.#secrets = this.#means.keys.secretsOf(this.#clientRandom);
      if (this.#secrets === undefined) this.#release();
      else this.#handHeld();
    }
    this.#forgetEarly();
    for (const direction of this.#directions) direction.stop();
    this.#inner?.end(how, by);
  }

  /** Keep a piece until the secrets come. @returns false when they have come: what was held is handed on */
  #hold(piece: Held): boolean {
    const { keys } = this.#means;
    if (this.#asked !== keys.version) {
      this.#asked = keys.version;
      this.#secrets = keys.secretsOf(this.#clientRandom);
    }
    if (isComplete(this.#secrets)) {
      this.#handHeld();
      return false;
    }
    const size = (piece.bytes?.length ?? 0) + PIECE_BYTES;
    if (this.#heldBytes + size > HELD_BYTES || keys.heldBytes + size > HELD_TOTAL_BYTES) {
      if (this.#secrets !== undefined) {
        this.#handHeld();
        return false;
      }
      this.#release();
      this.#tell('its keys did not come in time', undefined);
      this.over = true;
      return true;
    }
    this.#heldBytes += size;
    keys.heldBytes += size;
    this.#held?.push(piece);
    return true;
  }

  /** Decrypt what was held with the secrets that have come. */
  #handHeld(): void {
    const held = this.#held ?? [];
    this.#release();
    this.#stages = this.#tls13(undefined);
    if (this.#server !== undefined && this.#serverRandom !== undefined) {
      this.onServerHello(this.#server, this.#serverRandom);
    }
    for (const { side, bytes, length, facts } of held) {
      if (bytes === undefined) this.#directions[side].gap(length, facts.offset);
      else this.#directions[side].data(bytes, 0, bytes.length, facts);
    }
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
      onOpened: () => {
        if (this.#isDecrypted) return;
        this.#isDecrypted = true;
        this.#means.keys.onDecrypted(this.#clientRandom);
      },
      onData: (stage, bytes, arrival) => {
        if (stage === 'early') this.#takeEarly(bytes, arrival);
        else {
          this.#settleEarly(false);
          this.#stream().data(side, bytes, arrival);
        }
      },
      onMissingData: (length, encryptedEnd) => this.#miss(side, length, encryptedEnd),
      onNoneMissed: () => {
        if (!this.#earlyOffered || side === SIDE.server) this.#missed[side] = 0;
      },
      reserve: (bytes) => {
        const { keys } = this.#means;
        if (bytes > 0 && keys.heldBytes + bytes > HELD_TOTAL_BYTES) return false;
        keys.heldBytes += bytes;
        return true;
      },
      onHandshake: (type, bytes, start, end) => {
        if (type === HANDSHAKE.encryptedExtensions && side === SIDE.server) this.#decideEarly(bytes, start, end);
        else if (type === END_OF_EARLY_DATA && side === SIDE.client && !this.#isTls12()) this.#settleEarly(true);
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
    if (this.#inner !== undefined) return this.#inner;
    const inner = new InnerStream(this.#context, this.#means);
    this.#inner = inner;
    for (const side of [SIDE.client, SIDE.server] as const) {
      if (this.#missed[side] > 0) inner.gap(side, this.#missed[side], this.#missedEnds[side]);
    }
    return inner;
  }

  /** Data of a side is missing. Before the side's first data it is reported together with that: perhaps there was none. */
  #miss(side: Side, length: number, encryptedEnd: number): void {
    if (this.#inner !== undefined) {
      this.#inner.gap(side, length, encryptedEnd);
      return;
    }
    this.#missed[side] += length;
    this.#missedEnds[side] = encryptedEnd;
  }

  #takeEarly(bytes: Uint8Array, arrival: Arrival): void {
    if (this.#earlyFate === 'accepted') this.#stream().data(SIDE.client, bytes, arrival);
    if (this.#earlyFate !== 'undecided') return;
    const { keys } = this.#means;
    const size = bytes.length + PIECE_BYTES;
    const isKept = this.#early.length > 0 || this.#earlyBytes === 0;
    this.#earlyBytes += bytes.length;
    if (!isKept || this.#earlySize + size > EARLY_BYTES || keys.heldBytes + size > HELD_TOTAL_BYTES) {
      // Without its beginning the rest says nothing.
      this.#forgetEarly();
      return;
    }
    this.#earlySize += size;
    keys.heldBytes += size;
    this.#early.push({ bytes: bytes.slice(), arrival });
  }

  #forgetEarly(): void {
    this.#means.keys.heldBytes -= this.#earlySize;
    this.#earlySize = 0;
    this.#early = [];
  }

  /** The server's extensions say whether it takes the early data (RFC 8446 section 4.2.10). */
  #decideEarly(bytes: Uint8Array, start: number, end: number): void {
    let accepted = false;
    eachExtension(bytes, start + 2, end, (type) => {
      if (type === EXTENSION.earlyData) accepted = true;
    });
    if (accepted) this.#settleEarly(true);
    else if (this.#earlyFate === 'undecided') {
      this.#earlyFate = 'rejected';
      this.#forgetEarly();
    }
  }

  /**
   * The server takes the early data, or there is other data and it is not known whether the server took what came ahead of it:
   * that counts as missing. The client tells the end of early data only when the server takes it (RFC 8446 section 4.5).
   */
  #settleEarly(accepted: boolean): void {
    if (this.#earlyFate !== 'undecided') return;
    this.#earlyFate = accepted ? 'accepted' : 'rejected';
    const held = this.#early;
    const bytes = this.#earlyBytes;
    this.#forgetEarly();
    if (bytes === 0) return;
    const stream = this.#stream();
    const kept = accepted ? held : [];
    for (const { bytes, arrival } of kept) stream.data(SIDE.client, bytes, arrival);
    if (kept.length === 0) stream.gap(SIDE.client, bytes, this.#ends[SIDE.client]);
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
