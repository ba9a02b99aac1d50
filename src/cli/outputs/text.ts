import { describePacket } from '../../analyze/describe.ts';
import { DIRECTION } from '../../analyze/layers/layer.ts';
import { decodePacket, PacketView } from '../../analyze/packet.ts';
import type { NameRecord } from '../../capture/names.ts';
import { Colours } from '../../view/colour.ts';
import { packetLine } from '../../view/packet-line.ts';
import { normalLinkType } from '../../wire/link-type.ts';
import { BLOCK, EPB_FLAG, EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';
import { interfaceName } from '../../wire/pcapng-read.ts';
import type { ByteWriter } from '../byte-writer.ts';
import type { Output, OutputKind } from './output.ts';

/** One line per packet, for people. */
class TextOutput implements Output {
  readonly omitted = undefined;
  readonly #writer: ByteWriter;
  readonly #colours: Colours;
  readonly #packet = new PacketView();
  readonly #interfaces: { readonly label: string; readonly linkType: number }[] = [];
  readonly #names = new Map<string, string>();
  readonly #nameOf = (address: string) => this.#names.get(address);

  constructor(writer: ByteWriter, colour: boolean) {
    this.#writer = writer;
    this.#colours = new Colours(colour);
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

  addNames(records: readonly NameRecord[]): void {
    for (const { address, name } of records) this.#names.set(address, name);
  }

  addInterface(_id: number, bytes: Uint8Array, offset: number, length: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
    // `shop/web-1/any` is labelled by its pod.
    const label = interfaceName(bytes, offset, length).replace(/\/[^/]*$/, '');
    this.#interfaces.push({ label, linkType: normalLinkType(view.getUint16(8, true)) });
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const known = this.#interfaces[id];
    if (type !== BLOCK.enhancedPacket || known === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
    const packet = this.#packet;
    packet.bytes = bytes;
    packet.offset = offset + EPB_HEADER_BYTES;
    packet.timeHigh = view.getUint32(12, true);
    packet.timeLow = view.getUint32(16, true);
    packet.caplen = view.getUint32(20, true);
    packet.origlen = view.getUint32(24, true);
    packet.interfaceId = id;
    packet.linkType = known.linkType;
    packet.direction = directionOf(view, packet.caplen);
    decodePacket(packet);
    const line = packetLine(describePacket(packet), {
      label: known.label,
      colours: this.#colours,
      nameOf: this.#nameOf,
    });
    const text = Buffer.from(`${line}\n`, 'utf8');
    this.#writer.push(text, 0, text.length);
  }

  async close(): Promise<void> {
    await this.#writer.drained();
  }
}

/** The agent writes epb_flags as the only option, directly behind the packet's data. */
function directionOf(view: DataView, caplen: number) {
  const flagsAt = EPB_HEADER_BYTES + padded(caplen) + 4;
  const flags = flagsAt + 8 <= view.byteLength ? view.getUint32(flagsAt, true) : 0;
  if ((flags & 3) === EPB_FLAG.inbound) return DIRECTION.inbound;
  return (flags & 3) === EPB_FLAG.outbound ? DIRECTION.outbound : DIRECTION.unknown;
}

export const text: OutputKind = {
  name: 'text',
  binary: false,
  create: ({ writer, colour }) => new TextOutput(writer, colour),
};
