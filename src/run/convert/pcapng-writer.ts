import { release, type } from 'node:os';
import type { CaptureInterface } from '../../wire/capture-interface.ts';
import type { CaptureFramer } from '../../wire/capture-read.ts';
import { bigEndianSecrets, tlsSecretsOf } from '../../wire/decryption-secrets.ts';
import { BLOCK, EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';
import { interfaceDescription, sectionHeader } from '../../wire/pcapng-write.ts';
import type { CaptureWriter, Push, WrittenKeys, WrittenPacket } from './writer.ts';

/**
 * pcapng. What was pcapng before is kept as it is, block by block in its own byte order: names, comments, statistics,
 * blocks that ksnoop does not decode. What was pcap gets a section and an interface.
 */
export class PcapngWriter implements CaptureWriter {
  readonly omitted = undefined;
  hasLateSecrets = false;
  readonly #push: Push;
  readonly #keys: WrittenKeys;
  /** The section has no packet yet; secrets are due before its first one. */
  #secretsDue = false;
  /** The byte order of the section that is written. */
  #littleEndian = true;
  #source: 'pcap' | 'pcapng' = 'pcap';
  readonly #head = Buffer.alloc(EPB_HEADER_BYTES);
  readonly #tail = Buffer.alloc(8);

  constructor(push: Push, keys: WrittenKeys = {}) {
    this.#push = push;
    this.#keys = keys;
  }

  nextFile(): void {
    this.#source = 'pcap';
  }

  interface(_id: number, described: CaptureInterface): void {
    if (this.#source === 'pcapng') return;
    this.#whole(sectionHeader(`${type()} ${release()}`, false));
    this.#littleEndian = true;
    this.#secretsDue = true;
    const { linkType, snaplen } = described;
    this.#whole(interfaceDescription({ linkType, snaplen, name: '', description: '' }));
  }

  block(block: BlockView): void {
    this.#source = 'pcapng';
    if (block.type === BLOCK.sectionHeader) {
      // Its length has changed: -1 means unknown (section 4.1).
      const copy = Buffer.from(block.bytes.subarray(block.offset, block.offset + block.length));
      copy.fill(0xff, 16, 24);
      this.#whole(copy);
      this.#littleEndian = block.littleEndian;
      this.#secretsDue = true;
    } else if (
      block.type === BLOCK.decryptionSecrets &&
      (this.#keys.omit === true || (this.#keys.secrets !== undefined && tlsSecretsOf(block) !== undefined))
    ) {
      // Left out, or among those that are written before the packets.
    } else {
      if (block.type === BLOCK.decryptionSecrets && !this.#secretsDue) this.hasLateSecrets = true;
      this.#push(block.bytes, block.offset, block.length);
    }
  }

  packet(packet: WrittenPacket, framer: CaptureFramer): void {
    if (this.#secretsDue) this.#writeSecrets();
    if (framer.format === 'pcapng' && packet.caplen === packet.captured) {
      this.#push(packet.bytes, framer.recordOffset, framer.recordLength);
    } else if (framer.format === 'pcapng') this.#cut(packet, framer);
    else this.#enhanced(packet);
  }

  /** Wireshark decrypts a connection only when its secrets precede its ServerHello. */
  #writeSecrets(): void {
    this.#secretsDue = false;
    for (const block of this.#keys.secrets ?? []) {
      this.#whole(this.#littleEndian ? block : bigEndianSecrets(block));
    }
  }

  /** The same block with fewer bytes of the packet; its options stay. */
  #cut(packet: WrittenPacket, framer: CaptureFramer): void {
    const { bytes, offset, caplen, captured } = packet;
    const start = framer.recordOffset;
    const removed = padded(captured) - padded(caplen);
    const block = Buffer.alloc(framer.recordLength - removed);
    const headLength = offset - start;
    block.set(bytes.subarray(start, offset + caplen));
    const optionsAt = offset + padded(captured);
    block.set(bytes.subarray(optionsAt, start + framer.recordLength), headLength + padded(caplen));
    const littleEndian = bytes[start] !== 0;
    const put = (value: number, at: number) =>
      littleEndian ? block.writeUInt32LE(value, at) : block.writeUInt32BE(value, at);
    put(block.length, 4);
    put(block.length, block.length - 4);
    // A Simple Packet Block (12 bytes of head) has no captured length.
    if (headLength === EPB_HEADER_BYTES) put(caplen, 20);
    this.#whole(block);
  }

  #enhanced({ bytes, offset, caplen, origlen, timeHigh, timeLow }: WrittenPacket): void {
    const head = this.#head;
    const length = EPB_HEADER_BYTES + padded(caplen) + 4;
    head.writeUInt32LE(BLOCK.enhancedPacket, 0);
    head.writeUInt32LE(length, 4);
    head.writeUInt32LE(0, 8);
    head.writeUInt32LE(timeHigh, 12);
    head.writeUInt32LE(timeLow, 16);
    head.writeUInt32LE(caplen, 20);
    head.writeUInt32LE(origlen, 24);
    this.#push(head, 0, EPB_HEADER_BYTES);
    this.#push(bytes, offset, caplen);
    const padding = padded(caplen) - caplen;
    this.#tail.fill(0);
    this.#tail.writeUInt32LE(length, padding);
    this.#push(this.#tail, 0, padding + 4);
  }

  #whole(bytes: Uint8Array): void {
    this.#push(bytes, 0, bytes.length);
  }
}
