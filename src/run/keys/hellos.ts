import { u8 } from '../../analyze/bytes.ts';
import { IP_PROTOCOL } from '../../analyze/layers/ip-protocol.ts';
import { DIRECTION } from '../../analyze/layers/layer.ts';
import { decodeCommonPacket } from '../../analyze/packet/common-packet.ts';
import { decodePacket, PacketView } from '../../analyze/packet/packet.ts';
import { RECORD, RECORD_HEADER } from '../../analyze/protocols/tls/records.ts';
import { RecentMap } from '../../analyze/recent-map.ts';
import { EPB_HEADER_BYTES } from '../../wire/pcapng.ts';

/** The first message of one side of a TLS connection. */
export interface Hello {
  readonly from: 'client' | 'server';
  /** The client random of the connection, lower-case hexadecimal. */
  readonly random: string;
}

/** Types of a handshake message (RFC 8446 section 4). */
const CLIENT_HELLO = 1;
const SERVER_HELLO = 2;
/** In a segment: record header, message header, legacy_version, random. */
const RANDOM_AT = RECORD_HEADER + 4 + 2;
const RANDOM_BYTES = 32;
/** Connections between their hellos; what is forgotten is not recognised. */
const WAITING_MAXIMUM = 16_384;

/**
 * Finds the ClientHello and the ServerHello of TLS connections in packets: segments that begin with one. Nothing is put together;
 * the random number stands in the first bytes.
 */
export class Hellos {
  readonly #view = new PacketView();
  /** Client randoms by the connection. */
  readonly #clients = new RecentMap<string, string>(WAITING_MAXIMUM);

  /** @param bytes have an Enhanced Packet Block at `offset`, little-endian */
  find(bytes: Uint8Array, offset: number, interfaceId: number, linkType: number): Hello | undefined {
    const view = this.#view;
    const [caplen, origlen] = [uint32(bytes, offset + 20), uint32(bytes, offset + 24)];
    view.set(bytes, offset + EPB_HEADER_BYTES, caplen, origlen, 0, 0, interfaceId, linkType, DIRECTION.unknown);
    if (!decodeCommonPacket(view)) decodePacket(view);
    if (view.ipProtocol !== IP_PROTOCOL.tcp || view.sourcePort < 0) return undefined;
    const message = helloAt(view);
    if (message === CLIENT_HELLO) {
      const random = hex(bytes, view.cursor + RANDOM_AT, RANDOM_BYTES);
      const connection = this.#connection(false);
      // One that uses the ports of an earlier one is not as old as that.
      this.#clients.delete(connection);
      this.#clients.set(connection, random);
      return { from: 'client', random };
    }
    const random = message === SERVER_HELLO ? this.#clients.get(this.#connection(true)) : undefined;
    return random === undefined ? undefined : { from: 'server', random };
  }

  /** The connection of the packet, named from its client. */
  #connection(fromServer: boolean): string {
    const { bytes, addressLength, interfaceId } = this.#view;
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = this.#view;
    const source = `${hex(bytes, sourceAddress, addressLength)} ${sourcePort}`;
    const destination = `${hex(bytes, destinationAddress, addressLength)} ${destinationPort}`;
    return `${interfaceId} ${fromServer ? `${destination} ${source}` : `${source} ${destination}`}`;
  }
}

/** Which hello a segment begins with, by its type; 0 for none. */
function helloAt({ bytes, cursor, payloadCaptured }: PacketView): number {
  if (payloadCaptured < RANDOM_AT + RANDOM_BYTES) return 0;
  if (u8(bytes, cursor) !== RECORD.handshake || u8(bytes, cursor + 1) !== 3) return 0;
  const message = cursor + RECORD_HEADER;
  // A message of less than 64 KiB; legacy_version is 3.x.
  return u8(bytes, message + 1) === 0 && u8(bytes, message + 4) === 3 ? u8(bytes, message) : 0;
}

function hex(bytes: Uint8Array, start: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('hex');
}

function uint32(bytes: Uint8Array, offset: number): number {
  const at = (index: number) => u8(bytes, offset + index);
  return (at(0) | (at(1) << 8) | (at(2) << 16) | (at(3) << 24)) >>> 0;
}
