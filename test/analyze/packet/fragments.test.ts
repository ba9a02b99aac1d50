import { describe, expect, it } from 'vitest';
import { Fragments } from '../../../src/analyze/packet/fragments.ts';
import { Random } from '../../support/random.ts';
import { fromHex, layersOf, payloadOf, udp } from '../decoded.ts';
import { add, addAll, cut, datagram, type Fragment, frame4, frame6, pieces, SECOND, whole } from '../made-fragments.ts';

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

  it('that the capture cut give what is there in front of the missing bytes', () => {
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

describe('fragments seen twice at one interface', () => {
  const twice = (list: readonly Fragment[]) => list.flatMap((piece) => [piece, piece]);

  it.each([
    ['each beside its copy', twice(pieces)],
    ['one datagram after the other', [...pieces, ...pieces]],
    ['copies first to last, last to first', [...pieces, ...[...pieces].reverse()]],
  ])('make one datagram, and nothing is missing: %s', (_, list) => {
    const fragments = new Fragments();
    expect(addAll(fragments, list)).toHaveLength(1);
    fragments.end();
    expect(fragments).toMatchObject({ complete: 1, incomplete: 0, duplicates: 3, overlaps: 0 });
  });

  it('are no copies with other bytes, or a second later', () => {
    const fragments = new Fragments();
    const others = cut(datagram(3000).fill(7, 8), 1480);
    expect(addAll(fragments, [...pieces, ...others])).toHaveLength(2);
    const later = pieces.map((piece) => ({ ...piece, time: 1_783_000_989n * SECOND }));
    expect(addAll(fragments, later)).toHaveLength(1);
    expect(fragments).toMatchObject({ complete: 3, duplicates: 0 });
  });
});

describe('fragments that overlap', () => {
  const data = (text: string) => Buffer.from(text);
  const first: Fragment = {
    offset: 0,
    more: true,
    data: fromHex(udp(32), Buffer.from('aaaaaaaabbbbbbbb').toString('hex')),
  };

  it('of IPv4 leave the bytes that came first', () => {
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

  it('wholly with others of the same bytes are duplicates', () => {
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
      'bytes behind the end',
      { offset: 8, more: false, data: Buffer.alloc(8) },
      { offset: 16, more: true, data: Buffer.alloc(8) },
    ],
    [
      'an end in front of bytes',
      { offset: 16, more: true, data: Buffer.alloc(8) },
      { offset: 8, more: false, data: Buffer.alloc(8) },
    ],
    ['an end past 65535', undefined, { offset: 65_528, more: false, data: Buffer.alloc(80) }],
    ['no bytes', undefined, { offset: 8, more: false, data: Buffer.alloc(0) }],
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
