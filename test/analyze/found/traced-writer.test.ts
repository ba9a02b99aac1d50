import { describe, expect, test } from 'vitest';
import type { TracedPacket } from '../../../src/analyze/flow/traced-packet.ts';
import { TracedWriter } from '../../../src/analyze/found/traced-writer.ts';
import { FOUND_WAYS } from '../../../src/analyze/limits.ts';

const TCP = 6;
const UDP = 17;
const SEGMENT: TracedPacket = {
  flow: 9,
  time: 1_000,
  interfaceId: 6,
  place: 6,
  mayCopy: true,
  hopLimit: 64,
  ipProtocol: TCP,
  sourceHost: 1,
  sourcePort: 4000,
  destinationHost: 2,
  destinationPort: 80,
  tcpFlags: 0,
  sequence: 100,
  acknowledgment: 200,
  payloadLength: 10,
  contentHash: 77,
  offer: { scale: 8, timestamp: 5 },
  tunnel: undefined,
};

function writer() {
  const blocks: (readonly [kind: string, interfaceId: number, found: readonly unknown[], time: number])[] = [];
  const made = new TracedWriter({
    write: (kind, interfaceId, found, time) => void blocks.push([kind, interfaceId, found, time]),
    hostText: (host) => (host < 0 ? null : `host ${host}`),
  });
  return {
    seen: (change: Partial<TracedPacket> = {}, device = 0) => made.packet({ ...SEGMENT, ...change }, device),
    made,
    take: () => {
      made.flush();
      return blocks.splice(0);
    },
  };
}

/** What is written of a direction with its first packet. */
const way = (number: number, change: Partial<TracedPacket> = {}, device = 0) => {
  const packet = { ...SEGMENT, ...change };
  const { interfaceId, flow, ipProtocol, hopLimit } = packet;
  const ends = [device, `host ${packet.sourceHost}`, packet.sourcePort, 'host 2', 80];
  return [number, interfaceId, flow, ipProtocol, hopLimit, ...ends];
};

describe('packets with data', () => {
  test('are four numbers each: direction, time since the one before, distance to the expected number, length', () => {
    const { seen, take } = writer();
    seen();
    seen({ time: 1_500, sequence: 110, payloadLength: 3 });
    seen({ time: 1_400, sequence: 110, payloadLength: 3 });
    seen({ time: 1_400, sequence: 120, payloadLength: 1 });
    expect(take()).toEqual([['p', 6, [[0, 0, 100, 10, 0, 500, 0, 3, 0, -100, -3, 3, 0, 0, 7, 1], [way(0)]], 1_400]]);
    // The direction is known from now on.
    seen({ time: 2_000, sequence: 121, interfaceId: 6 });
    expect(take()).toEqual([['p', 6, [[0, 0, 0, 10], []], 2_000]]);
  });

  test('sequence numbers go around', () => {
    const { seen, take } = writer();
    seen({ sequence: 0x7fff_fffc });
    seen({ sequence: -0x7fff_fffa });
    seen({ sequence: 0x7fff_ffff, payloadLength: 1 });
    expect(take()[0]?.[2][0]).toEqual([0, 0, 0x7fff_fffc, 10, 0, 0, 0, 10, 0, 0, -17, 1]);
  });

  test('of datagrams the hash is written as it is', () => {
    const { seen, take } = writer();
    const datagram = { ipProtocol: UDP, sequence: 0 };
    seen(datagram);
    seen({ ...datagram, contentHash: -5 });
    expect(take()).toEqual([['p', 6, [[0, 0, 77, 10, 0, 0, -5, 10], [way(0, datagram)]], 1_000]]);
  });

  test.each([
    ['without a flow', { flow: -1 }],
    ['without data', { payloadLength: 0 }],
    ['of datagrams without data', { payloadLength: 0, ipProtocol: UDP }],
    ['of another protocol', { ipProtocol: 1 }],
  ])('those %s are not written', (_what, change) => {
    const { seen, take } = writer();
    seen(change);
    expect(take()).toEqual([]);
  });

  test.each([
    ['the first flow and the least data', { flow: 0, payloadLength: 1 }],
    ['the least datagram', { payloadLength: 1, ipProtocol: UDP }],
  ])('%s are', (_what, change) => {
    const { seen, take } = writer();
    seen(change);
    expect(take()).toHaveLength(1);
  });

  test('each sender, interface and device has a direction of its own', () => {
    const { seen, take } = writer();
    const others: readonly [Partial<TracedPacket>, number][] = [
      [{}, 0],
      [{ sourcePort: 4001 }, 0],
      [{ interfaceId: 7 }, 0],
      [{}, 1],
      [{ sourceHost: 3 }, 0],
      [{ flow: 8 }, 0],
    ];
    for (const again of [1, 2])
      for (const [change, device] of others) seen({ ...change, payloadLength: again }, device);
    const [packets, begun] = take().flatMap(([, , found]) => found) as [number[], unknown[]];
    expect(packets.filter((_, index) => index % 4 === 0)).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5]);
    expect(begun).toEqual(others.map(([change, device], number) => way(number, change, device)));
  });
});

describe('a block', () => {
  test('has 256 packets at most', () => {
    const { seen, take } = writer();
    for (let index = 0; index < 513; index += 1) seen();
    expect(take().map(([, , [packets]]) => (packets as unknown[]).length / 4)).toEqual([256, 256, 1]);
  });

  test('spans 5 ms at most, either way, from its first packet on', () => {
    const { seen, take } = writer();
    const times = [0, 4e6, 5e6, 5e6 + 1, 10e6 + 2, 5e6 + 2, 5e6 + 1];
    for (const time of times) seen({ time });
    expect(take().map(([, , [packets], last]) => [(packets as unknown[]).length / 4, last])).toEqual([
      [3, 5e6],
      [1, 5e6 + 1],
      [2, 5e6 + 2],
      [1, 5e6 + 1],
    ]);
  });

  test('comes as the interface of its first packet', () => {
    const { seen, take } = writer();
    seen();
    seen({ interfaceId: 7 });
    expect(take().map(([, interfaceId]) => interfaceId)).toEqual([6]);
    seen({ interfaceId: 7 });
    expect(take().map(([, interfaceId]) => interfaceId)).toEqual([7]);
  });
});

describe('handshakes', () => {
  const numbers = [9, 2, 64, 100, 200, 8, 5];
  const ends = [0, 'host 1', 4000, 'host 2', 80];

  test('a SYN, and what may answer one, is a block behind the packets before it', () => {
    const { seen, take } = writer();
    seen();
    seen({ tcpFlags: 0x02, payloadLength: 0, time: 1_200 });
    seen({ tcpFlags: 0x14, payloadLength: 0, hopLimit: 63, offer: { scale: 0, timestamp: undefined } }, 3);
    expect(take()).toEqual([
      ['p', 6, [[0, 0, 100, 10], [way(0)]], 1_000],
      ['y', 6, [numbers, ends, null], 1_200],
      ['y', 6, [[9, 0x14, 63, 100, 200, 0, null], [3, ...ends.slice(1)], null], 1_000],
    ]);
    for (const tcpFlags of [0x10, 0x04, 0x11, 0x18]) seen({ tcpFlags, payloadLength: 0 });
    expect(take()).toEqual([]);
  });

  test('data that come with it follow; of a datagram no flags are looked at', () => {
    const { seen, take } = writer();
    seen({ tcpFlags: 0x02 });
    seen({ tcpFlags: 0x02, ipProtocol: UDP });
    expect(take().map(([kind]) => kind)).toEqual(['y', 'p']);
  });

  test('tells the tunnel around it', () => {
    const { seen, take } = writer();
    seen({ tcpFlags: 0x02, payloadLength: 0, tunnel: { kind: 'VXLAN', from: 4, to: -1 } });
    expect(take()).toEqual([['y', 6, [numbers, ends, ['VXLAN', 'host 4', null]], 1_000]]);
  });
});

describe('what is known of directions', () => {
  test('ends with their flow', () => {
    const { seen, made, take } = writer();
    seen();
    seen({ flow: 8 });
    made.forget(9);
    made.forget(9);
    made.forget(7);
    seen({ sequence: 110 });
    seen({ flow: 8, sequence: 110 });
    const [packets, begun] = take().flatMap(([, , found]) => found) as [number[], unknown[]];
    expect(packets.filter((_, index) => index % 4 === 0)).toEqual([0, 1, 2, 1]);
    expect(begun).toHaveLength(3);
  });

  test('is bounded: the oldest flows begin anew, those that ended not counted', () => {
    const { seen, made, take } = writer();
    const begunBy = (...flows: readonly number[]) => {
      for (const flow of flows) seen({ flow });
      return take().flatMap(([, , [, begun]]) => (begun as unknown[][]).map((each) => each[2]));
    };
    seen({ flow: 0 });
    seen({ flow: 0, sourcePort: 1 });
    made.forget(0);
    for (let flow = 1; flow <= FOUND_WAYS; flow += 1) seen({ flow });
    take();
    expect(begunBy(1)).toEqual([]);
    // One more: what is known of the first flow goes.
    const next = FOUND_WAYS + 1;
    expect(begunBy(next, 2, 3)).toEqual([next]);
    expect(begunBy(1, next, 3, 4)).toEqual([1]);
    expect(begunBy(2)).toEqual([2]);
    // Where one has ended there is room for another.
    made.forget(next);
    expect(begunBy(next, 5)).toEqual([next]);
  });
});
