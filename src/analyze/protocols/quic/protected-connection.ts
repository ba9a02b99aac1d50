import { otherSide, SIDE, type Side } from '../../record/event.ts';
import { latin1 } from '../../record/text.ts';
import type { StreamEnd } from '../protocol.ts';
import { type ConnectionSecrets, isComplete, type KeyLog } from '../tls/decrypt/key-log.ts';
import { HANDSHAKE } from '../tls/direction.ts';
import { EXTENSION, eachExtension } from '../tls/extensions.ts';
import type { ApplicationStreams } from './application.ts';
import { CryptoStream } from './crypto-stream.ts';
import { eachFrame, type FrameSink, type StreamFrame } from './frames.ts';
import { HeldPackets } from './held-packets.ts';
import type { LongHeader } from './long-header.ts';
import type { PacketPlace } from './packet-protection.ts';
import { packetSuites } from './packet-suite.ts';
import { type Opened, ProtectedPackets } from './protected-packets.ts';
import { Ranges } from './ranges.ts';
import type { ArrivalTime, Reserve } from './received-stream.ts';
import { Segments } from './segments.ts';
import { PACKET, quicVersion } from './versions.ts';

/** Ids by which a side is addressed that are remembered; the active ones are few. */
const IDS_MAXIMUM = 32;
/** Bytes of a handshake message's header. */
const MESSAGE_HEADER = 4;

/** Which secret protects a packet. */
export type Level = 'early' | 'handshake' | 'data';

/** What a connection needs of those around it. */
export interface ProtectionHost {
  readonly keys: KeyLog;
  readonly reserve: Reserve;
  /** Number of the cipher suite agreed on; undefined while the ServerHello was not seen. */
  cipher(): number | undefined;
  /** A message of the encrypted handshake with its header. */
  onHandshake(side: Side, message: Uint8Array): void;
  /** @returns what the streams carry; undefined where that is not decoded, or not known yet */
  application(): ApplicationStreams | undefined;
  onClose(side: Side, error: number, reason: string, isApplication: boolean, level: Level): void;
  /** A side may be addressed by this id, which is latin-1. */
  onNewId(side: Side, id: string): void;
  /** Once: nothing, or nothing more, is decrypted. */
  onNotDecrypted(why: string): void;
}

/** A packet in its datagram. */
export interface PacketBytes extends PacketPlace {
  readonly side: Side;
  readonly level: Level;
  readonly bytes: Uint8Array;
  /** Where the datagram begins. */
  readonly datagram: number;
}

/** A packet with a short header in its datagram. */
export type ShortPacket = Omit<PacketBytes, 'level' | 'number'>;

/** The packets of one connection behind its Initial ones, opened with the secrets of a key log. */
export class ProtectedConnection implements FrameSink {
  /** Flows (pairs of addresses and ports) that it has used and that have not ended. */
  readonly flows = new Set<number>();
  /** Ids by which each side is addressed, as latin-1. */
  readonly ids: readonly [Set<string>, Set<string>] = [new Set(), new Set()];
  /** The version that its packets have now. */
  version: number;
  readonly #host: ProtectionHost;
  /** The ClientHello's random number, which selects the secrets. */
  readonly random: Uint8Array;
  readonly #packets = new Map<string, ProtectedPackets>();
  /** Packet numbers of each side's data that were opened, and the greatest that the other side has acknowledged. */
  readonly #opened: readonly [Ranges, Ranges] = [new Ranges(), new Ranges()];
  readonly #acknowledged: [number, number] = [-1, -1];
  readonly #largest: [number, number] = [-1, -1];
  /** Packets of a side were captured that could not be read. */
  readonly #unread: [boolean, boolean] = [false, false];
  readonly #segments: readonly [Segments, Segments] = [new Segments(), new Segments()];
  readonly #crypto: readonly [CryptoStream, CryptoStream] = [new CryptoStream(), new CryptoStream()];
  /** Packets that wait for secrets, and early data that waits for the server to take it. */
  readonly #held: HeldPackets;
  readonly #early: HeldPackets;
  #earlyFate: 'undecided' | 'accepted' | 'rejected' = 'undecided';
  #secrets: ConnectionSecrets | undefined;
  #waiting: boolean;
  /** Of the key log, when it was last looked for secrets. */
  #keysVersion = 0;
  #isReported = false;
  #isDecrypted = false;
  #side: Side = SIDE.client;
  #level: Level = 'handshake';
  #arrival: ArrivalTime = { now: 0, clock: 0 };

  /** @param random the ClientHello's @param version of its packet */
  constructor(host: ProtectionHost, random: Uint8Array, version: number) {
    this.#host = host;
    this.random = random;
    this.version = version;
    this.#held = new HeldPackets(host.reserve);
    this.#early = new HeldPackets(host.reserve);
    const { keys } = host;
    this.#keysVersion = keys.version;
    this.#secrets = keys.secretsOf(random);
    this.#waiting = keys.growing && !isComplete(this.#secrets);
  }

  /** The server's packet number behind the greatest so far. */
  get serverNumber(): number {
    return this.#largest[SIDE.server] + 1;
  }

  /** Whether all the server's packets from this number on, as far as they are known, were captured and read. */
  isServerWhole(number: number): boolean {
    const greatest = this.#largest[SIDE.server];
    if (this.#unread[SIDE.server] || this.#acknowledged[SIDE.server] > greatest) return false;
    return this.#opened[SIDE.server].isWholeFrom(number);
  }

  /** @param id as latin-1 @returns the oldest one where it had to go for it */
  addId(side: Side, id: string): string | undefined {
    const ids = this.ids[side];
    const [oldest] = ids.size >= IDS_MAXIMUM ? ids : [];
    if (oldest !== undefined) ids.delete(oldest);
    ids.add(id);
    return oldest;
  }

  /** @returns bytes of the destination's id in a packet with a short header; -1 where it is none of this connection */
  idLength(side: Side, bytes: Uint8Array, at: number, end: number): number {
    for (const id of this.ids[otherSide(side)]) {
      if (at + id.length <= end && latin1(bytes, at, at + id.length) === id) return id.length;
    }
    return -1;
  }

  /** A packet with a long header: of the handshake, or early data. */
  long(side: Side, bytes: Uint8Array, header: LongHeader, end: number, arrival: ArrivalTime): void {
    const level = header.kind === PACKET.zeroRtt ? 'early' : 'handshake';
    if (level === 'early' && side === SIDE.server) return;
    if (side === SIDE.server) this.version = header.version;
    if (header.end > end) return;
    const { start, body: number } = header;
    this.#take({ side, level, bytes, start, number, end: header.end, datagram: start }, arrival);
  }

  /**
   * A packet with a short header; its datagram ends where it ends.
   * @param idLength bytes of the destination's id
   * @param whole it was captured to its end
   */
  short(packet: ShortPacket, idLength: number, whole: boolean, arrival: ArrivalTime): void {
    const { side, start } = packet;
    if (whole) this.#take({ ...packet, level: 'data', number: start + 1 + idLength }, arrival);
    else this.#unread[side] = true;
  }

  /** Whether a packet with a short header is this connection's: its tag verifies. */
  isOwn(side: Side, bytes: Uint8Array, start: number, end: number, idLength: number): boolean {
    return this.#packetsOf('data', side)?.open(bytes, { start, number: start + 1 + idLength, end }) !== undefined;
  }

  end(how: StreamEnd, by: Side | undefined): void {
    if (this.#waiting) {
      this.#secrets = this.#host.keys.secretsOf(this.random);
      this.#release();
    }
    this.#early.clear();
    this.#host.application()?.end(how, by);
  }

  onCrypto(offset: number, bytes: Uint8Array, start: number, end: number): void {
    // What comes behind the handshake (session tickets) is not read.
    if (this.#level !== 'handshake') return;
    const stream = this.#crypto[this.#side];
    stream.add(offset, bytes, start, end);
    for (let message = stream.next(); message !== undefined; message = stream.next()) {
      const side = this.#side;
      this.#host.onHandshake(side, message);
      if (side === SIDE.server && message[0] === HANDSHAKE.encryptedExtensions) this.#decideEarly(message);
    }
  }

  onClose(error: number, reason: string, isApplication: boolean): void {
    this.#host.onClose(this.#side, error, reason, isApplication, this.#level);
  }

  onAck(largest: number): void {
    if (this.#level !== 'data' || !Number.isSafeInteger(largest)) return;
    const sender = otherSide(this.#side);
    if (largest <= this.#acknowledged[sender]) return;
    this.#acknowledged[sender] = largest;
    this.#packetsOf('data', sender)?.acknowledged(largest);
  }

  onStream(frame: StreamFrame): void {
    if (this.#level !== 'handshake') this.#host.application()?.onStream(this.#side, frame, this.#arrival);
  }

  onReset(stream: number, error: number): void {
    if (this.#level !== 'handshake') this.#host.application()?.onReset(this.#side, stream, error, this.#arrival);
  }

  onStop(stream: number, error: number): void {
    if (this.#level !== 'handshake') this.#host.application()?.onStop(this.#side, stream, error);
  }

  onNewId(id: Uint8Array): void {
    if (this.#level === 'handshake') return;
    this.#host.onNewId(this.#side, latin1(id, 0, id.length));
  }

  #take(packet: PacketBytes, arrival: ArrivalTime): void {
    if (this.#waiting && this.#hold(packet, arrival)) return;
    this.#open(packet, arrival);
  }

  /** Keep a packet until the secrets come. @returns false when they have come, or nothing is waited for any more */
  #hold(packet: PacketBytes, arrival: ArrivalTime): boolean {
    const { keys } = this.#host;
    if (this.#keysVersion !== keys.version) {
      this.#keysVersion = keys.version;
      this.#secrets = keys.secretsOf(this.random);
    }
    if (!isComplete(this.#secrets)) {
      if (this.#held.add(packet, arrival)) return true;
      if (this.#secrets === undefined) this.#report('its keys did not come in time');
    }
    this.#release();
    return false;
  }

  #release(): void {
    this.#waiting = false;
    this.#held.take((packet, arrival) => this.#open(packet, arrival));
  }

  #open(packet: PacketBytes, arrival: ArrivalTime): void {
    const { side, level } = packet;
    if (level === 'early' && this.#earlyFate === 'rejected') return;
    const packets = this.#packetsOf(level, side);
    if (packets === undefined) {
      if (level === 'data') this.#unread[side] = true;
      if (level === 'data' && this.#secrets !== undefined)
        this.#report('the key log has no secret of its data, or its cipher suite is not supported');
      return;
    }
    if (level === 'early' && this.#earlyFate === 'undecided') {
      this.#early.add(packet, arrival);
      return;
    }
    const opened = this.#openWhole(packets, packet, arrival);
    if (opened !== undefined) this.#read(opened, packet, arrival);
    else {
      if (level === 'data') this.#unread[side] = true;
      if (packets.hopeless) this.#report('its secrets do not open its packets');
    }
  }

  /** @returns a packet as it lies in its datagram, or the last of several that were captured as one */
  #openWhole(packets: ProtectedPackets, packet: PacketBytes, arrival: ArrivalTime): Opened | undefined {
    const { side, level, bytes, datagram, end } = packet;
    if (level !== 'data') return packets.open(bytes, packet);
    const segments = this.#segments[side];
    const opened = segments.isLong(end - datagram) ? undefined : packets.open(bytes, packet, true);
    if (opened !== undefined) segments.opened(end - datagram);
    return opened ?? this.#openPart(packets, packet, arrival) ?? packets.open(bytes, packet);
  }

  /**
   * The datagram may be several that were captured as one.
   * @returns the last of them; those before were read
   */
  #openPart(packets: ProtectedPackets, packet: PacketBytes, arrival: ArrivalTime): Opened | undefined {
    const { side, bytes, number, end } = packet;
    const idBytes = number - packet.start;
    let { start } = packet;
    for (;;) {
      let opened: Opened | undefined;
      let boundary = end;
      const isFound = this.#segments[side].find({ bytes, datagram: packet.datagram, start, end }, (at) => {
        boundary = at;
        opened = packets.open(bytes, { start, number: start + idBytes, end: at }, true);
        return opened !== undefined;
      });
      if (!isFound || opened === undefined) return undefined;
      this.#read(opened, packet, arrival);
      start = boundary;
      if (this.#segments[side].isLong(end - start)) continue;
      opened = packets.open(bytes, { start, number: start + idBytes, end }, true);
      if (opened !== undefined) return opened;
    }
  }

  #read({ number, payload }: Opened, { side, level }: PacketBytes, arrival: ArrivalTime): void {
    if (!this.#isDecrypted) {
      this.#isDecrypted = true;
      this.#host.keys.onDecrypted(this.random);
    }
    if (level !== 'handshake') {
      // The same packet again.
      if (!this.#opened[side].add(number)) return;
      this.#largest[side] = Math.max(this.#largest[side], number);
    }
    this.#side = side;
    this.#level = level;
    this.#arrival = arrival;
    this.#host.application()?.passed(arrival.now);
    if (!eachFrame(payload, this)) this.#unread[side] = true;
  }

  #packetsOf(level: Level, side: Side): ProtectedPackets | undefined {
    const name = `${level} ${side} ${this.version}`;
    const known = this.#packets.get(name);
    if (known !== undefined) return known;
    const secret = this.#secretOf(level, side);
    const version = quicVersion(this.version);
    if (secret === undefined || version === undefined) return undefined;
    const suites = packetSuites(this.#host.cipher(), secret.length);
    if (suites.length === 0) return undefined;
    const labels = version.updateLabels.map((update) => ({ keys: version.label, update }));
    const made = new ProtectedPackets(secret, suites, labels, level === 'data');
    this.#packets.set(name, made);
    return made;
  }

  #secretOf(level: Level, side: Side): Buffer | undefined {
    const secrets = this.#secrets ?? {};
    if (level === 'early') return secrets.clientEarly;
    if (level === 'handshake') return side === SIDE.client ? secrets.clientHandshake : secrets.serverHandshake;
    return side === SIDE.client ? secrets.clientTraffic : secrets.serverTraffic;
  }

  /** The server's extensions show whether it takes the early data (RFC 8446 section 4.2.10). */
  #decideEarly(message: Uint8Array): void {
    let accepted = false;
    eachExtension(message, MESSAGE_HEADER + 2, message.length, (type) => {
      if (type === EXTENSION.earlyData) accepted = true;
    });
    if (this.#earlyFate !== 'undecided') return;
    this.#earlyFate = accepted ? 'accepted' : 'rejected';
    const [side, level, arrival] = [this.#side, this.#level, this.#arrival];
    if (accepted) this.#early.take((packet, at) => this.#open(packet, at));
    else this.#early.clear();
    // The rest of the packet with these extensions is read next.
    this.#side = side;
    this.#level = level;
    this.#arrival = arrival;
  }

  #report(why: string): void {
    if (this.#isReported) return;
    this.#isReported = true;
    this.#host.onNotDecrypted(why);
  }
}
