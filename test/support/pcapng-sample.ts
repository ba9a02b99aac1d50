import {
  endMarker,
  enhancedPacketBytes,
  interfaceDescription,
  interfaceStatistics,
  nameResolution,
  sectionHeader,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';

/** Blocks for tests that speak pcapng, made by ksnoop's own writers (which tshark judges in pcapng-write.host.test.ts). */
export const header = () => sectionHeader('Linux test');

export function describe(name: string, linkType = 1): Uint8Array {
  return interfaceDescription({ linkType, snaplen: 262_144, name, description: `of ${name}`, filter: 'tcp' });
}

/** @param time nanoseconds since 1970 */
export function packet(interfaceId: number, time: bigint, data: Uint8Array, origlen = data.length): Uint8Array {
  const bytes = new Uint8Array(enhancedPacketBytes(data.length, true));
  const view = new DataView(bytes.buffer);
  const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
  writeEnhancedPacket(bytes, view, 0, interfaceId, high, low, data.length, origlen, 1, data, 0);
  return bytes;
}

export function statistics(interfaceId: number, time: bigint, endTime?: bigint): Uint8Array {
  return interfaceStatistics({
    interfaceId,
    time,
    startTime: 1n,
    endTime,
    received: 7,
    droppedByKernel: 2,
    captured: 5,
  });
}

export const names = () =>
  nameResolution([
    { address: '10.0.0.1', names: ['shop/web-1'] },
    { address: 'fd00::1', names: ['shop/web-1'] },
  ]);

export const end = () => endMarker({ version: 1, reason: 'stopped', interfaces: [] });
