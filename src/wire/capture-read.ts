import { joinedBytes, plainBytes } from './bytes.ts';
import { clusterNamesOf } from './capture-cluster.ts';
import { type CaptureInterface, captureInterface } from './capture-interface.ts';
import { CaptureTime, wholeTick } from './capture-time.ts';
import { tlsSecretsOf } from './decryption-secrets.ts';
import { KsnoopError } from './errors.ts';
import { foundText, isWholeFound } from './found-block.ts';
import { INTERFACE_BYTES_MAXIMUM, INTERFACES_MAXIMUM } from './limits.ts';
import { type AddressNames, addressNames } from './name-resolution-read.ts';
import { stateOf, type TimedState } from './network-state.ts';
import { PCAP_MAGICS, PcapFramer } from './pcap-read.ts';
import { BLOCK, EPB_HEADER_BYTES, OPTION, padded } from './pcapng.ts';
import { BlockFramer, type BlockView, emptyBlock, forEachOption } from './pcapng-read.ts';
import { type InterfaceStatistics, interfaceStatisticsOf } from './statistics-read.ts';

/** What a capture file is made of, called back as it is read. Interfaces are counted over all sections, from 0. */
export interface CaptureHandlers {
  interface(id: number, described: CaptureInterface): void;
  /**
   * A packet: `caplen` bytes of `bytes` at `offset`, valid during the call.
   * @param timeHigh nanoseconds since 1970, upper half; 0 in both where the file has no time (Simple Packet Blocks)
   * @param flags epb_flags, 0 without
   */
  packet(
    bytes: Uint8Array,
    offset: number,
    caplen: number,
    origlen: number,
    timeHigh: number,
    timeLow: number,
    interfaceId: number,
    flags: number,
  ): void;
  /** @param cluster of a capture of several clusters: whose names they are */
  names?(names: readonly AddressNames[], cluster?: string): void;
  /** What an interface's capture has counted until then. */
  statistics?(id: number, statistics: InterfaceStatistics): void;
  /** What the kernel had counted in the network namespace of an interface. */
  state?(state: TimedState): void;
  /** Secrets of TLS connections: lines of a key log. */
  secrets?(lines: string): void;
  /**
   * What an analysis beside an agent found.
   * @param timeHigh nanoseconds since 1970, upper half
   * @param stream the number of the stream it came in
   */
  found?(json: string, timeHigh: number, timeLow: number, interfaceId: number, stream: number): void;
  /** Every pcapng block but packets, as it lies there; valid during the call. For copying them to another file. */
  block?(block: BlockView): void;
}

const OBSOLETE_PACKET = 2;

/** Bytes of an Interface Statistics Block without options. */
const STATISTICS_MINIMUM = 24;

interface Timed {
  readonly id: number;
  readonly snaplen: number;
  readonly described: CaptureInterface;
  /** Nanoseconds of a tick; undefined for resolutions that need more than a multiplication. */
  readonly tick: number | undefined;
}

/**
 * Frames any capture file out of bytes cut anywhere: pcap and pcapng, distinguished by their first bytes.
 */
export class CaptureFramer {
  /** `pcap`, `pcapng`, or undefined while too few bytes have come. */
  format: 'pcap' | 'pcapng' | undefined;
  packets = 0;
  /** Of the section under way: ksnoop's start marker and end marker have come. */
  #startMarked = false;
  #endMarked = false;
  #sectionsCut = 0;
  /** The last packet's record (pcap) or block (pcapng) within the bytes its callback got; valid during that call. */
  recordOffset = 0;
  recordLength = 0;
  readonly #handlers: CaptureHandlers;
  readonly #time = new CaptureTime();
  #pcap: PcapFramer | undefined;
  #pcapng: BlockFramer | undefined;
  #head: Uint8Array = new Uint8Array(0);
  /** The view of blocks that come one by one, and their bytes so far. */
  readonly #framed: BlockView = emptyBlock();
  #framedBytes = 0;
  #interfaces = 0;
  /** Of the blocks that described interfaces: of all that have a number of their own, and of this section's. */
  #interfaceBytes = 0;
  #sectionBytes = 0;
  /** Numbers of interfaces of the files so far, by what they are: with a name, without one; and how often each was described in this file. */
  readonly #named = new Map<string, number>();
  readonly #unnamed = new Map<string, number>();
  readonly #described = new Map<string, number>();
  #section: Timed[] = [];

  constructor(handlers: CaptureHandlers) {
    this.#handlers = handlers;
  }

  /**
   * Whether the file, or a section of it, was cut: ksnoop's start marker is there and its end marker is not. Programs that
   * write a capture anew keep neither.
   */
  get cut(): boolean {
    return this.#sectionsCut > 0 || (this.#startMarked && !this.#endMarked);
  }

  /** Time of the last packet, ns since 1970; 0 before any. */
  get lastTime(): bigint {
    return (BigInt(this.#time.high) << 32n) | BigInt(this.#time.low);
  }

  /**
   * What is pushed next is of another file.
   * @param goesOn whether it continues what was read: then an interface that is described again, by the same name and
   *   link type, keeps its number
   * @param inOrder whether no packet of it is before those that were read: only then an interface without a name is the same
   */
  nextFile(goesOn: boolean, inOrder = goesOn): void {
    this.#endSection();
    this.#sectionsCut = 0;
    this.#pcap = undefined;
    this.#pcapng = undefined;
    this.#head = new Uint8Array(0);
    this.format = undefined;
    if (!goesOn) this.#named.clear();
    if (!inOrder) this.#unnamed.clear();
    this.#described.clear();
  }

  #endSection(): void {
    if (this.#startMarked && !this.#endMarked) this.#sectionsCut += 1;
    this.#startMarked = false;
    this.#endMarked = false;
    this.#section = [];
    this.#sectionBytes = 0;
  }

  /** Bytes of whole records and blocks so far: where reading stands. */
  get consumed(): number {
    return this.#pcap?.consumed ?? this.#pcapng?.consumed ?? this.#framedBytes;
  }

  /** Bytes of a record that has begun and not ended; more than 0 at the end: the file was cut. */
  get pending(): number {
    return this.#pcap?.pending ?? this.#pcapng?.pending ?? this.#head.length;
  }

  /** Take the file's next bytes. @throws KsnoopError NO_CAPTURE, DAMAGED_PCAP, DAMAGED_PCAPNG with the byte it stopped at */
  push(chunk: Uint8Array): void {
    const bytes = plainBytes(chunk);
    if (this.#pcap !== undefined) this.#pcap.push(bytes);
    else if (this.#pcapng !== undefined) this.#pcapng.push(bytes);
    else this.#begin(bytes);
  }

  /**
   * Take a whole pcapng block that was framed before, little-endian, with nanosecond time stamps where it has any. A
   * section header is not needed: interfaces are counted from 0.
   * @param type the block's type
   */
  pushBlock(type: number, bytes: Uint8Array, offset: number, length: number): void {
    this.format = 'pcapng';
    const block = this.#framed;
    if (block.bytes !== bytes) {
      block.bytes = bytes;
      block.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    block.type = type;
    block.offset = offset;
    block.length = length;
    this.#framedBytes += length;
    this.#block(block);
  }

  #begin(chunk: Uint8Array): void {
    const head = this.#head.length === 0 ? chunk : joinedBytes([this.#head, chunk]);
    if (head.length < 4) {
      this.#head = Uint8Array.from(head);
      return;
    }
    const magic = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (magic === BLOCK.sectionHeader) {
      this.format = 'pcapng';
      this.#pcapng = new BlockFramer((block) => this.#block(block));
      this.#pcapng.push(head);
    } else if (PCAP_MAGICS.has(magic)) {
      this.format = 'pcap';
      this.#pcap = this.#pcapFramer();
      this.#pcap.push(head);
    } else {
      throw new KsnoopError('NO_CAPTURE', `This is not a pcap or pcapng file (it starts with ${shownStart(head)}).`, {
        hint: 'ksnoop reads what tcpdump, Wireshark and ksnoop write, also compressed (gzip, zstd, xz, bzip2, lz4).',
      });
    }
  }

  #pcapFramer(): PcapFramer {
    const handlers = this.#handlers;
    const time = this.#time;
    let recordHeader = 0;
    let id = 0;
    return new PcapFramer({
      header: ({ linkType, snaplen, recordHeader: header }) => {
        recordHeader = header;
        const described = { linkType, snaplen, name: '', description: '', filter: undefined, comments: [] };
        const whole = { ...described, ticksPerSecond: 1_000_000_000n, offsetSeconds: 0n };
        const number = this.#number(whole);
        if (number === undefined) throw tooManyInterfaces();
        id = number;
        handlers.interface(id, whole);
      },
      packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) => {
        time.setSeconds(seconds, nanoseconds);
        this.packets += 1;
        this.recordOffset = offset - recordHeader;
        this.recordLength = caplen + recordHeader;
        handlers.packet(bytes, offset, caplen, origlen, time.high, time.low, id, 0);
      },
    });
  }

  #block(block: BlockView): void {
    switch (block.type) {
      case BLOCK.enhancedPacket:
        this.#enhancedPacket(block);
        return;
      case BLOCK.simplePacket:
        this.#simplePacket(block);
        return;
      case OBSOLETE_PACKET:
        this.#packet(block, block.view.getUint16(block.offset + 8, block.littleEndian));
        return;
      case BLOCK.sectionHeader:
        this.#endSection();
        break;
      case BLOCK.interfaceDescription:
        this.#interface(block);
        break;
      case BLOCK.nameResolution:
        this.#handlers.names?.(addressNames(block));
        break;
      case BLOCK.ksnoopNames:
        this.#clusterNames(block);
        break;
      case BLOCK.interfaceStatistics:
        this.#statistics(block);
        break;
      case BLOCK.ksnoopState:
        this.#state(block);
        break;
      case BLOCK.ksnoopFound:
        this.#found(block);
        break;
      case BLOCK.decryptionSecrets:
        this.#secrets(block);
        break;
      case BLOCK.ksnoopEnd:
        this.#endMarked = true;
        break;
      case BLOCK.ksnoopStart:
        this.#startMarked = true;
        break;
      default:
    }
    this.#handlers.block?.(block);
  }

  #clusterNames(block: BlockView): void {
    const found = this.#handlers.names === undefined ? undefined : clusterNamesOf(block);
    if (found !== undefined) this.#handlers.names?.(found.names, found.cluster);
  }

  #secrets(block: BlockView): void {
    const lines = this.#handlers.secrets === undefined ? undefined : tlsSecretsOf(block);
    if (lines !== undefined) this.#handlers.secrets?.(lines);
  }

  #state(block: BlockView): void {
    const state = this.#handlers.state === undefined ? undefined : stateOf(block);
    const from = state && this.#section[state.interfaceId];
    if (state !== undefined && from !== undefined) this.#handlers.state?.({ ...state, interfaceId: from.id });
  }

  #found(block: BlockView): void {
    if (this.#handlers.found === undefined || !isWholeFound(block)) return;
    const { view, offset } = block;
    const from = this.#section[view.getUint32(offset + 8, true)];
    if (from === undefined) return;
    const { stream, json } = foundText(block);
    this.#handlers.found(json, view.getUint32(offset + 12, true), view.getUint32(offset + 16, true), from.id, stream);
  }

  #interface(block: BlockView): void {
    this.#sectionBytes += block.length;
    if (this.#sectionBytes > INTERFACE_BYTES_MAXIMUM) throw tooLongInterfaces();
    const described = captureInterface(block);
    const before = this.#interfaces;
    const id = this.#number(described);
    if (this.#interfaces > before) this.#interfaceBytes += block.length;
    if (this.#interfaceBytes > INTERFACE_BYTES_MAXIMUM) throw tooLongInterfaces();
    if (id === undefined) throw tooManyInterfaces();
    const tick = wholeTick(described.ticksPerSecond, described.offsetSeconds);
    this.#section.push({ id, snaplen: described.snaplen, described, tick });
    this.#handlers.interface(id, described);
  }

  #statistics({ bytes, view, offset, length, littleEndian }: BlockView): void {
    if (this.#handlers.statistics === undefined || !littleEndian || length < STATISTICS_MINIMUM) return;
    const from = this.#section[view.getUint32(offset + 8, true)];
    if (from !== undefined) this.#handlers.statistics(from.id, interfaceStatisticsOf(bytes, offset, length));
  }

  /** An interface's number: that of the same one in an earlier file, else the next; undefined where there are too many. */
  #number({ name, linkType }: CaptureInterface): number | undefined {
    const what = `${linkType} ${name}`;
    const times = this.#described.get(what) ?? 0;
    this.#described.set(what, times + 1);
    const key = `${times} ${what}`;
    const numbers = name === '' ? this.#unnamed : this.#named;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    if (this.#interfaces >= INTERFACES_MAXIMUM) return undefined;
    numbers.set(key, this.#interfaces);
    this.#interfaces += 1;
    return this.#interfaces - 1;
  }

  #enhancedPacket(block: BlockView): void {
    this.#packet(block, block.length < 32 ? -1 : block.view.getUint32(block.offset + 8, block.littleEndian));
  }

  #packet(block: BlockView, interfaceId: number): void {
    const { view, offset, littleEndian, length } = block;
    if (length < EPB_HEADER_BYTES + 4) throw this.#damaged(block, 'a packet block is too short');
    const from = this.#section[interfaceId];
    if (from === undefined)
      throw this.#damaged(block, `a packet is of interface ${interfaceId}, which was not described`);
    const caplen = view.getUint32(offset + 20, littleEndian);
    const optionsAt = EPB_HEADER_BYTES + padded(caplen);
    if (caplen > length || optionsAt > length - 4) {
      throw this.#damaged(block, `a block of ${length} bytes claims a packet of ${caplen}`);
    }
    const high = view.getUint32(offset + 12, littleEndian);
    const low = view.getUint32(offset + 16, littleEndian);
    const time = this.#time;
    if (from.tick !== undefined) time.setTicks(high, low, from.tick);
    else time.setOdd(high, low, from.described.ticksPerSecond, from.described.offsetSeconds);
    let flags = 0;
    // ksnoop's own files have the flags first.
    if (optionsAt + 12 <= length && view.getUint16(offset + optionsAt, littleEndian) === OPTION.epbFlags) {
      flags = view.getUint32(offset + optionsAt + 4, littleEndian);
    } else if (optionsAt + 8 <= length - 4) flags = flagsOf(block, offset + optionsAt);
    this.packets += 1;
    this.recordOffset = offset;
    this.recordLength = length;
    const origlen = view.getUint32(offset + 24, littleEndian);
    this.#handlers.packet(block.bytes, offset + EPB_HEADER_BYTES, caplen, origlen, time.high, time.low, from.id, flags);
  }

  /** Section 4.4: no time, the first interface, and the packet up to its snaplen. */
  #simplePacket(block: BlockView): void {
    const from = this.#section[0];
    if (block.length < 16 || from === undefined) throw this.#damaged(block, 'a simple packet block has no interface');
    const origlen = block.view.getUint32(block.offset + 8, block.littleEndian);
    const kept = from.snaplen === 0 ? origlen : Math.min(origlen, from.snaplen);
    this.packets += 1;
    this.recordOffset = block.offset;
    this.recordLength = block.length;
    const caplen = Math.min(kept, block.length - 16);
    this.#handlers.packet(block.bytes, block.offset + 12, caplen, origlen, 0, 0, from.id, 0);
  }

  #damaged(block: BlockView, what: string): KsnoopError {
    const at = this.consumed - block.length;
    return new KsnoopError('DAMAGED_PCAPNG', `The stream is damaged at byte ${at}: ${what}.`);
  }
}

/** The first four bytes for a message: quoted where they are printable ASCII, else in hex. */
function shownStart(head: Uint8Array): string {
  const start = Buffer.from(head.buffer, head.byteOffset, 4);
  return start.every((byte) => byte >= 0x20 && byte < 0x7f) ? `"${start.toString('latin1')}"` : start.toString('hex');
}

function flagsOf(block: BlockView, start: number): number {
  let flags = 0;
  forEachOption(block, start, (code, at, length) => {
    if (code === OPTION.epbFlags && length === 4) flags = block.view.getUint32(at, block.littleEndian);
  });
  return flags;
}

function tooLongInterfaces(): KsnoopError {
  const most = `${INTERFACE_BYTES_MAXIMUM / 1024 / 1024} MiB`;
  return new KsnoopError('TOO_MANY_INTERFACES', `The descriptions of the capture's interfaces exceed ${most}.`);
}

function tooManyInterfaces(): KsnoopError {
  return new KsnoopError('TOO_MANY_INTERFACES', `The capture has more than ${INTERFACES_MAXIMUM} interfaces.`);
}
