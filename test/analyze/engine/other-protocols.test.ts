// What is neither TCP nor UDP, captured at two interfaces: each packet counts once, as it does for the others.
import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { pcapngBlocks } from '../../support/packet-blocks.ts';

const IPV4 = 20;

/** Ethernet and IPv4 between 10.0.0.1 and 10.0.0.2. */
function frame(protocol: number, side: 0 | 1, identification: number, carried: Buffer): Buffer {
  const bytes = Buffer.alloc(14 + IPV4);
  bytes.writeUInt16BE(0x0800, 12);
  bytes[14] = 0x45;
  bytes.writeUInt16BE(IPV4 + carried.length, 16);
  bytes.writeUInt16BE(identification, 18);
  bytes[22] = 64;
  bytes[23] = protocol;
  bytes.set([10, 0, 0, 1 + side, 10, 0, 0, 2 - side], 26);
  return Buffer.concat([bytes, carried]);
}

function echo(type: 8 | 0, sequence: number): Buffer {
  const bytes = Buffer.alloc(8 + 16, 0x61);
  bytes.set([type, 0, 0, 0, 0, 77, 0, sequence]);
  return bytes;
}

function sctpData(transmission: number, side: 0 | 1): Buffer {
  const bytes = Buffer.alloc(12 + 20);
  bytes.writeUInt16BE(5000 + side, 0);
  bytes.writeUInt16BE(5001 - side, 2);
  bytes.writeUInt16BE(20, 14);
  bytes.writeUInt32BE(transmission, 16);
  return bytes;
}

test.each([
  ['ICMP', 1, (index: number, side: 0 | 1) => echo(side === 0 ? 8 : 0, index)],
  ['SCTP', 132, (index: number, side: 0 | 1) => sctpData(index, side)],
] as const)('%s', (_name, protocol, made) => {
  for (const numbered of [true, false]) {
    const frames = [0, 1, 2, 3, 4].flatMap((index) =>
      ([0, 1] as const).flatMap((side) => {
        const bytes = frame(protocol, side, numbered ? index * 2 + side + 1 : 0, made(index, side));
        // Sent again each 200 ms, and seen at the second interface 0.01 ms later.
        const at = index * 200 + side;
        return [
          { interfaceId: 0, at, bytes },
          { interfaceId: 1, at: at + 0.01, bytes },
        ];
      }),
    );
    const { flows, copies } = analyseBytes(pcapngBlocks(['eth0/one', 'eth1/one'], frames, [0, 0]));
    expect(flows.map(({ client, server }) => [client.packets, server.packets])).toEqual([[5, 5]]);
    expect(copies).toBe(10);
  }
});
