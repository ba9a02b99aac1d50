import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Spool } from '../../../src/agent/spool/spool.ts';
import { PacketWriter } from '../../../src/agent/tcpdump/packet-writer.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { LINK_TYPE } from '../../../src/wire/link-type.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';

/** What a reader makes of packets of one link type: each as time, flags and payload. */
async function written(linkType: number, packets: readonly (readonly [seconds: number, ns: number, data: Buffer])[]) {
  const stdout = new PassThrough();
  const chunks: Buffer[] = [];
  stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const spool = new Spool(stdout);
  spool.push(sectionHeader('test'));
  spool.push(interfaceDescription({ linkType, snaplen: 65_535, name: 'a', description: '' }));
  const writer = new PacketWriter(spool, 0, linkType);
  for (const [seconds, ns, data] of packets) writer.write(seconds, ns, data.length, 1_500, data, 0);
  await spool.drained();
  const read: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen, origlen, high, low, _id, flags) => {
      const time = (BigInt(high) << 32n) | BigInt(low);
      read.push(`${time} ${origlen} ${flags} ${Buffer.from(bytes.subarray(offset, offset + caplen)).toString('hex')}`);
    },
  });
  framer.push(Buffer.concat(chunks));
  return { read, writer };
}

test.each([
  [LINK_TYPE.linuxSll2, 10],
  [LINK_TYPE.linuxSll, 1],
])('of link type %i the packet type is the direction (byte %i)', async (linkType, at) => {
  const packets = [0, 1, 2, 3, 4, 5, 255].map((type) => {
    const data = Buffer.alloc(20);
    data[at] = type;
    return [1, 0, data] as const;
  });
  const { read, writer } = await written(linkType, packets);
  // Inbound 1, outbound 2; unicast 1, multicast 2, broadcast 3, promiscuous 4 from bit 2 on.
  const inbound = [1 | (1 << 2), 1 | (3 << 2), 1 | (2 << 2), 1 | (4 << 2)];
  expect(read.map((line) => Number(line.split(' ')[2]))).toEqual([...inbound, 2, 0, 0]);
  expect(writer.captured).toBe(7);
});

test('times are nanoseconds since 1970 beyond 32 bits of seconds, and a cut header has no direction', async () => {
  const short = Buffer.from('00010000', 'hex');
  const { read } = await written(LINK_TYPE.linuxSll2, [
    [1_700_000_000, 999_999_999, short],
    [1_700_000_000, 1, short],
    [4_294_967_295, 4_294_967_295, short],
  ]);
  expect(read).toEqual([
    '1700000000999999999 1500 0 00010000',
    '1700000000000000001 1500 0 00010000',
    `${4_294_967_295n * 1_000_000_000n + 4_294_967_295n} 1500 0 00010000`,
  ]);
});

test('Ethernet tells no direction', async () => {
  expect((await written(LINK_TYPE.ethernet, [[1, 2, Buffer.alloc(14)]])).read).toEqual([
    `1000000002 1500 0 ${'00'.repeat(14)}`,
  ]);
});

test('a packet that finds no room is counted as dropped', () => {
  const full = { pushPacket: () => false } as unknown as Spool;
  const writer = new PacketWriter(full, 3, LINK_TYPE.ethernet);
  writer.write(1, 2, 4, 4, Buffer.alloc(4), 0);
  expect([writer.id, writer.captured, writer.dropped]).toEqual([3, 0, 1]);
});
