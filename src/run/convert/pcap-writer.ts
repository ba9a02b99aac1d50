import { counted } from '../../view/units.ts';
import type { CaptureInterface } from '../../wire/capture-interface.ts';
import { PCAP_RECORD_BYTES, pcapFileHeader, writePcapRecordHeader } from '../../wire/pcap-write.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';
import type { CaptureWriter, Push, WrittenPacket } from './writer.ts';

/** Classic pcap with nanoseconds: one link type, nothing but packets. */
export class PcapWriter implements CaptureWriter {
  readonly hasLateSecrets = false;
  readonly #push: Push;
  readonly #record = new Uint8Array(PCAP_RECORD_BYTES);
  readonly #view = new DataView(this.#record.buffer);
  readonly #linkTypes: number[] = [];
  #linkType: number | undefined;
  #otherPackets = 0;
  #otherBlocks = 0;

  constructor(push: Push) {
    this.#push = push;
  }

  get omitted(): string | undefined {
    const lost: string[] = [];
    if (this.#otherPackets > 0)
      lost.push(`${counted(this.#otherPackets, 'packet')} of another link type than the first's`);
    if (this.#otherBlocks > 0) lost.push('interface names, address names, comments and statistics');
    return lost.length === 0 ? undefined : `the pcap form leaves out ${lost.join(', and ')}`;
  }

  nextFile(): void {}

  interface(id: number, described: CaptureInterface): void {
    this.#linkTypes[id] = described.linkType;
    if (this.#linkType !== undefined) return;
    this.#linkType = described.linkType;
    const header = pcapFileHeader(described.linkType, described.snaplen);
    this.#push(header, 0, header.length);
  }

  block(block: BlockView): void {
    if (block.type !== BLOCK.sectionHeader) this.#otherBlocks += 1;
  }

  packet({ bytes, offset, caplen, origlen, timeHigh, timeLow, interfaceId }: WrittenPacket): void {
    if (this.#linkTypes[interfaceId] !== this.#linkType) {
      this.#otherPackets += 1;
      return;
    }
    writePcapRecordHeader(this.#view, timeHigh, timeLow, caplen, origlen);
    this.#push(this.#record, 0, PCAP_RECORD_BYTES);
    this.#push(bytes, offset, caplen);
  }
}
