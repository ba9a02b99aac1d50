import type { Fragments } from '../../src/analyze/packet/fragments.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet/packet.ts';
import { ethernet, fromHex, ipv6, udp } from './decoded.ts';

export const SECOND = 1_000_000_000n;

export interface Fragment {
  readonly offset: number;
  readonly more: boolean;
  readonly data: Buffer;
  readonly id?: number;
  readonly time?: bigint;
  readonly interfaceId?: number;
  /** Bytes of the frame that the capture kept. */
  readonly caplen?: number;
}

/** An IPv4 fragment in Ethernet, 10.0.0.1 to 10.0.0.2. */
export function frame4({ offset, more, data, id = 0x1234 }: Fragment, protocol = 17): Buffer {
  const header = fromHex('4500 0000 0000 0000 40 00 0000 0a000001 0a000002');
  header.writeUInt16BE(20 + data.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE(offset / 8 + (more ? 0x2000 : 0), 6);
  header[9] = protocol;
  return Buffer.concat([fromHex(ethernet('0800')), header, data, Buffer.alloc(3, 0xee)]);
}

export function frame6({ offset, more, data, id = 0x1234 }: Fragment, protocol = 17): Buffer {
  const header = Buffer.alloc(8);
  header[0] = protocol;
  header.writeUInt16BE(offset + (more ? 1 : 0), 2);
  header.writeUInt32BE(id, 4);
  return Buffer.concat([fromHex(ethernet('86dd'), ipv6(44, 8 + data.length)), header, data]);
}

export function add(fragments: Fragments, fragment: Fragment, frame: Buffer): PacketView | undefined {
  const view = new PacketView();
  const time = fragment.time ?? 1_783_000_987n * SECOND;
  const { caplen = frame.length, interfaceId = 0 } = fragment;
  const around = Buffer.concat([Buffer.alloc(5, 0xdd), frame.subarray(0, caplen), Buffer.alloc(5, 0xdd)]);
  view.set(around, 5, caplen, frame.length, Number(time >> 32n), Number(time & 0xffff_ffffn), interfaceId, 1, 0);
  decodePacket(view);
  const whole = fragments.add(view);
  // What was added may be written over: nothing of it may have been kept.
  around.fill(0xdd);
  return whole;
}

/** A UDP datagram with a payload that differs everywhere. */
export function datagram(length: number): Buffer {
  const payload = Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
  return Buffer.concat([fromHex(udp(8 + length)), payload]);
}

/** Cut into fragments of so many bytes. */
export function cut(whole: Buffer, size: number): Fragment[] {
  const fragments: Fragment[] = [];
  for (let offset = 0; offset < whole.length; offset += size) {
    const data = whole.subarray(offset, offset + size);
    fragments.push({ offset, more: offset + size < whole.length, data });
  }
  return fragments;
}

export function addAll(fragments: Fragments, list: readonly Fragment[], frame = frame4): PacketView[] {
  return list.map((fragment) => add(fragments, fragment, frame(fragment))).filter((view) => view !== undefined);
}

export const whole = datagram(3000);
export const pieces = cut(whole, 1480);
