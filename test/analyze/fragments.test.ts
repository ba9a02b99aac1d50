import { describe, expect, it } from 'vitest';
import { Fragments } from '../../src/analyze/fragments.ts';
import { FRAGMENT_TOTAL_BYTES, FRAGMENTED_MAXIMUM } from '../../src/analyze/limits.ts';
import { decodePacket, PacketView } from '../../src/analyze/packet.ts';
import { Random } from '../support/random.ts';
import { ethernet, ipv6, layersOf, octets, payloadOf, udp } from './decoded.ts';

const SECOND = 1_000_000_000n;

interface Fragment {
  readonly offset: number;
  readonly more: boolean;
  readonly data: Buffer;
  readonly id?: number;
  readonly time?: bigint;
  readonly interfaceId?: number;
  /** Octets of the frame that the capture kept. */
  readonly caplen?: number;
}

/** An IPv4 fragment in Ethernet, 10.0.0.1 to 10.0.0.2. */
function frame4({ offset, more, data, id = 0x1234 }: Fragment, protocol = 17): Buffer {
  const header = octets('4500 0000 0000 0000 40 00 0000 0a000001 0a000002');
  header.writeUInt16BE(20 + data.length, 2);
  header.writeUInt16BE(id, 4);
  header.writeUInt16BE(offset / 8 + (more ? 0x2000 : 0), 6);
  header[9] = protocol;
  return Buffer.concat([octets(ethernet('0800')), header, data, Buffer.alloc(3, 0xee)]);
}

function frame6({ offset, more, data, id = 0x1234 }: Fragment, protocol = 17): Buffer {
  const header = Buffer.alloc(8);
  header[0] = protocol;
  header.writeUInt16BE(offset + (more ? 1 : 0), 2);
  header.writeUInt32BE(id, 4);
  return Buffer.concat([octets(ethernet('86dd'), ipv6(44, 8 + data.length)), header, data]);
}

function add(fragments: Fragments, fragment: Fragment, frame: Buffer): PacketView | undefined {
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
function datagram(length: number): Buffer {
  const payload = Buffer.from(Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 0xff));
  return Buffer.concat([octets(udp(8 + length)), payload]);
}

/** Cut into fragments of so many octets. */
function cut(whole: Buffer, size: number): Fragment[] {
  const fragments: Fragment[] = [];
  for (let offset = 0; offset < whole.length; offset += size) {
    const data = whole.subarray(offset, offset + size);
    fragments.push({ offset, more: offset + size < whole.length, data });
  }
  return fragments;
}

function addAll(fragments: Fragments, list: readonly Fragment[], frame = frame4): PacketView[] {
  return list.map((fragment) => add(fragments, fragment, frame(fragment))).filter((view) => view !== undefined);
}

const whole = datagram(3000);
const pieces = cut(whole, 1480);

describe.each([
  ['IPv4', frame4, 'ethernet ipv4 udp', 34],
  ['IPv6', frame6, 'ethernet ipv6 fragment udp', 62],
] as const)('fragments of %s', (_, frame, layers, header) => {
  it('make a whole, decoded packet with the last one', () => {
    const fragments = new Fragments();
    const [first, second, third] = pieces as [Fragment, Fragment, Fragment];
    expect(add(fragments, first, frame(first))).toBeUndefined();
    expect(add(fragments, second, frame(second))).toBeUndefined();
    expect(fragments.underWay).toBe(1);
    const view = add(fragments, { ...third, time: SECOND * 1_783_000_988n, interfaceId: 0 }, frame(third));
    if (view === undefined) throw new Error('not complete');
    expect(layersOf(view)).toBe(layers);
    expect(payloadOf(view)).toBe(whole.subarray(8).toString('hex'));
    expect(view).toMatchObject({
      sourcePort: 4660,
      destinationPort: 53,
      udpLength: 3008,
      fragmentOffset: 0,
      moreFragments: false,
      payloadLength: 3000,
      ipProtocol: 17,
      linkType: 1,
      caplen: header + 3008,
      origlen: header + 3008,
    });
    expect((BigInt(view.timeHigh) << 32n) | BigInt(view.timeLow)).toBe(SECOND * 1_783_000_988n);
    expect(fragments).toMatchObject({ complete: 1, incomplete: 0, underWay: 0, duplicates: 0, overlaps: 0 });
  });

  it('come in any order, twice, and between those of others', () => {
    const random = new Random(4);
    const others = cut(datagram(2000), 512).map((fragment) => ({ ...fragment, id: 77 }));
    for (let round = 0; round < 200; round += 1) {
      const fragments = new Fragments();
      const all = [...cut(whole, 8 * (1 + random.below(100))), ...others];
      for (let index = all.length - 1; index > 0; index -= 1) {
        const other = random.below(index + 1);
        [all[index], all[other]] = [all[other] as Fragment, all[index] as Fragment];
      }
      const seen: string[] = [];
      for (const fragment of all) {
        const view = add(fragments, fragment, frame(fragment));
        if (view !== undefined) seen.push(payloadOf(view));
        else if (random.below(4) === 0) expect(add(fragments, fragment, frame(fragment))).toBeUndefined();
      }
      const expected = [whole.subarray(8).toString('hex'), datagram(2000).subarray(8).toString('hex')];
      expect(seen.sort()).toEqual(expected.sort());
      expect(fragments).toMatchObject({ complete: 2, underWay: 0, overlaps: 0, malformed: 0 });
    }
  });

  it('that the capture cut give what is there in front of the missing octets', () => {
    const fragments = new Fragments();
    const [first, second, third] = pieces as [Fragment, Fragment, Fragment];
    add(fragments, first, frame(first));
    add(fragments, { ...second, caplen: header + 100 }, frame(second));
    const view = add(fragments, third, frame(third));
    expect(view).toMatchObject({ payloadLength: 3000, payloadCaptured: 1472 + 100, udpLength: 3008 });
    expect(view && payloadOf(view)).toBe(whole.subarray(8, 1580).toString('hex'));
  });

  it('too old are given up, and counted', () => {
    const fragments = new Fragments();
    const start = 1_783_000_000n * SECOND;
    const [first, second, third] = pieces as [Fragment, Fragment, Fragment];
    add(fragments, { ...first, time: start }, frame(first));
    add(fragments, { ...second, time: start + 29n * SECOND }, frame(second));
    expect(add(fragments, { ...third, time: start + 31n * SECOND }, frame(third))).toBeUndefined();
    expect(fragments).toMatchObject({ complete: 0, incomplete: 1, underWay: 1 });
    fragments.end();
    expect(fragments).toMatchObject({ incomplete: 2, underWay: 0 });
  });

  it('of one datagram seen at two interfaces make one at each', () => {
    const fragments = new Fragments();
    const both = pieces.flatMap((piece) => [piece, { ...piece, interfaceId: 1 }]);
    expect(addAll(fragments, both, frame)).toHaveLength(2);
    expect(fragments).toMatchObject({ complete: 2, duplicates: 0 });
  });
});

describe('fragments that overlap', () => {
  const data = (text: string) => Buffer.from(text);
  const first: Fragment = {
    offset: 0,
    more: true,
    data: octets(udp(32), Buffer.from('aaaaaaaabbbbbbbb').toString('hex')),
  };

  it('of IPv4 leave the octets that came first', () => {
    const fragments = new Fragments();
    const views = addAll(fragments, [first, { offset: 16, more: false, data: data('XXXXXXXXcccccccc') }]);
    expect(views.map(payloadOf)).toEqual([Buffer.from('aaaaaaaabbbbbbbbcccccccc').toString('hex')]);
    expect(fragments).toMatchObject({ overlaps: 1, complete: 1 });
  });

  it('of IPv4 fill what is missing around those that came', () => {
    const fragments = new Fragments();
    const views = addAll(fragments, [
      { offset: 16, more: true, data: data('22222222') },
      { offset: 8, more: false, data: data('XXXXXXXXXXXXXXXXYYYYYYYY') },
      { ...first, data: first.data.subarray(0, 8) },
    ]);
    expect(views.map(payloadOf)).toEqual([Buffer.from('XXXXXXXX22222222YYYYYYYY').toString('hex')]);
  });

  it('of IPv6 drop the datagram, with what comes of it later', () => {
    const fragments = new Fragments();
    const list = [first, { offset: 16, more: true, data: data('XXXXXXXXcccccccc') }, first];
    expect(addAll(fragments, [...list, { offset: 24, more: false, data: data('dddddddd') }], frame6)).toEqual([]);
    expect(fragments).toMatchObject({ overlaps: 1, complete: 0, underWay: 1 });
    fragments.end();
    expect(fragments).toMatchObject({ incomplete: 1 });
  });

  it('wholly with others of the same octets are duplicates', () => {
    const fragments = new Fragments();
    expect(addAll(fragments, [first, first, { offset: 24, more: false, data: data('dddddddd') }], frame6)).toHaveLength(
      1,
    );
    expect(fragments).toMatchObject({ duplicates: 1, overlaps: 0 });
  });
});

describe('fragments that contradict', () => {
  it.each([
    [
      'a second end',
      { offset: 8, more: false, data: Buffer.alloc(8) },
      { offset: 16, more: false, data: Buffer.alloc(8) },
    ],
    [
      'octets behind the end',
      { offset: 8, more: false, data: Buffer.alloc(8) },
      { offset: 16, more: true, data: Buffer.alloc(8) },
    ],
    [
      'an end in front of octets',
      { offset: 16, more: true, data: Buffer.alloc(8) },
      { offset: 8, more: false, data: Buffer.alloc(8) },
    ],
    ['an end past 65535', undefined, { offset: 65_528, more: false, data: Buffer.alloc(80) }],
    ['no octets', undefined, { offset: 8, more: false, data: Buffer.alloc(0) }],
  ])('%s', (_, before, fragment) => {
    const fragments = new Fragments();
    if (before !== undefined) addAll(fragments, [before]);
    expect(addAll(fragments, [fragment])).toEqual([]);
    expect(fragments.malformed).toBe(1);
  });

  it('a length beyond the frame', () => {
    const fragments = new Fragments();
    const fragment = { offset: 8, more: false, data: Buffer.alloc(16) };
    expect(add(fragments, fragment, frame4(fragment).subarray(0, 40))).toBeUndefined();
    expect(fragments.malformed).toBe(1);
  });
});

describe('bounds', () => {
  it('so many datagrams are under way, the oldest are given up', () => {
    const fragments = new Fragments();
    for (let id = 0; id < FRAGMENTED_MAXIMUM + 10; id += 1) {
      addAll(fragments, [{ offset: 0, more: true, data: Buffer.alloc(8), id }]);
    }
    expect(fragments).toMatchObject({ underWay: FRAGMENTED_MAXIMUM, evicted: 10, incomplete: 10 });
  });

  it('so many octets are kept', () => {
    const fragments = new Fragments();
    const data = Buffer.alloc(8);
    for (let id = 0; id < 1000; id += 1) addAll(fragments, [{ offset: 64_000, more: true, data, id }]);
    expect(fragments.underWay).toBeLessThanOrEqual(FRAGMENT_TOTAL_BYTES / 64_000);
    expect(fragments.underWay).toBeGreaterThan(200);
    expect(fragments.underWay + fragments.evicted).toBe(1000);
  });

  it('so many pieces apart from one another', () => {
    const fragments = new Fragments();
    for (let index = 0; index < 1000; index += 1) {
      addAll(fragments, [{ offset: index * 16, more: true, data: Buffer.alloc(8) }]);
    }
    expect(fragments.malformed).toBe(1000 - 256);
  });
});

describe('fragments and tunnels', () => {
  const inner = Buffer.concat([octets('4500 0020 0001 4000 40 11 0000 c0a80001 c0a80002'), datagram(4)]);

  it('a packet within is decoded when the one around is whole', () => {
    const fragments = new Fragments();
    const views = cut(inner, 24).map((piece) => add(fragments, piece, frame4(piece, 4)));
    expect(views[0]).toBeUndefined();
    expect(views[1] && layersOf(views[1])).toBe('ethernet ipv4 ipv4 udp');
    expect(views[1]).toMatchObject({ tunnelDepth: 1, destinationPort: 53 });
  });

  it('fragments within fragments', () => {
    const fragments = new Fragments();
    const views = cut(whole, 1480).flatMap((piece, index) => {
      const packet = frame4(piece).subarray(14, -3);
      return cut(packet, 800).map((part) => add(fragments, part, frame4({ ...part, id: 900 + index }, 4)));
    });
    const complete = views.filter((view) => view !== undefined);
    expect(complete.map(layersOf)).toEqual(['ethernet ipv4 ipv4 udp']);
    expect(complete.map(payloadOf)).toEqual([whole.subarray(8).toString('hex')]);
    expect(fragments).toMatchObject({ complete: 3, underWay: 0 });
  });

  it('fragments within VXLAN keep the tunnel', () => {
    const fragments = new Fragments();
    const views = pieces.map((piece) => {
      const packet = Buffer.concat([octets('0800 0000 00002a00'), frame4(piece)]);
      const outer = Buffer.concat([octets('4660 12b5 0000 0000'), packet]);
      outer.writeUInt16BE(outer.length, 4);
      return add(fragments, piece, frame4({ offset: 0, more: false, data: outer }));
    });
    const view = views.at(-1);
    expect(view && layersOf(view)).toBe('ethernet ipv4 udp vxlan ethernet ipv4 udp');
    expect(view).toMatchObject({ tunnelDepth: 1, destinationPort: 53, payloadLength: 3000, payloadCaptured: 3000 });
  });
});

it('any octets, cut anywhere, are taken', () => {
  const random = new Random(11);
  const fragments = new Fragments();
  for (let round = 0; round < 20_000; round += 1) {
    const offset = random.below(12) * 8;
    const fragment = {
      offset,
      more: random.below(3) > 0,
      data: Buffer.alloc(random.below(40), round),
      id: random.below(8),
    };
    const frame = random.below(2) === 0 ? frame4(fragment, random.below(256)) : frame6(fragment, random.below(256));
    if (random.below(3) === 0) frame[14 + random.below(frame.length - 14)] = random.below(256);
    const view = add(fragments, { ...fragment, caplen: random.below(frame.length + 1) }, frame);
    if (view !== undefined && (view.end > view.wireEnd || view.cursor > view.end || view.end > view.caplen)) {
      throw new Error(`outside: ${view.cursor} ${view.end} ${view.wireEnd}`);
    }
  }
  expect(fragments.complete).toBeGreaterThan(0);
});
