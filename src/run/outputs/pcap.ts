import { PCAP_RECORD_BYTES, pcapFileHeader, writePcapRecordHeader } from '../../wire/pcap-write.ts';
import { BLOCK, EPB_HEADER_BYTES } from '../../wire/pcapng.ts';
import type { ByteWriter } from '../sink/byte-writer.ts';
import type { BinaryOutputKind, Output } from './output.ts';

/** Classic pcap for old tools: one link type, no names, no interfaces, no statistics. */
class PcapOutput implements Output {
  readonly #writer: ByteWriter;
  readonly #header = new Uint8Array(PCAP_RECORD_BYTES);
  readonly #headerView = new DataView(this.#header.buffer);
  readonly #linkTypes: number[] = [];
  #otherLinkTypes = 0;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  get omitted(): string | undefined {
    const packets = this.#otherLinkTypes;
    const left = packets === 0 ? '' : `, and ${packets} packets of another link type than the first interface's`;
    return `the pcap form leaves out interface names, address names, directions and statistics${left}`;
  }

  get pending(): number {
    return this.#writer.pending;
  }

  get ended(): boolean {
    return this.#writer.end !== undefined;
  }

  flush(): void {
    this.#writer.flush();
  }

  addNames(): void {}

  addInterface(_id: number, bytes: Uint8Array, offset: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const linkType = view.getUint16(8, true);
    this.#linkTypes.push(linkType);
    if (this.#linkTypes.length > 1) return;
    const header = pcapFileHeader(linkType, view.getUint32(12, true));
    this.#writer.push(header, 0, header.length);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number): void {
    if (type !== BLOCK.enhancedPacket) return;
    if (this.#linkTypes[id] !== this.#linkTypes[0]) {
      this.#otherLinkTypes += 1;
      return;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const caplen = view.getUint32(20, true);
    writePcapRecordHeader(
      this.#headerView,
      view.getUint32(12, true),
      view.getUint32(16, true),
      caplen,
      view.getUint32(24, true),
    );
    this.#writer.push(this.#header, 0, PCAP_RECORD_BYTES);
    this.#writer.push(bytes, offset + EPB_HEADER_BYTES, caplen);
  }

  async close(): Promise<void> {
    await this.#writer.drained();
  }
}

export const pcap: BinaryOutputKind = {
  name: 'pcap',
  binary: true,
  json: false,
  create: ({ writer }) => new PcapOutput(writer),
};
