import { describe, expect, it } from 'vitest';
import { FRAGMENT_TOTAL_BYTES, FRAGMENTED_MAXIMUM } from '../../../src/analyze/limits.ts';
import { Fragments } from '../../../src/analyze/packet/fragments.ts';
import { Random } from '../../support/random.ts';
import { fromHex, layersOf, payloadOf } from '../decoded.ts';
import { add, addAll, cut, datagram, frame4, frame6, pieces, whole } from '../made-fragments.ts';

describe('bounds', () => {
  it('so many datagrams are under way, the oldest are given up', () => {
    const fragments = new Fragments();
    for (let id = 0; id < FRAGMENTED_MAXIMUM + 10; id += 1) {
      addAll(fragments, [{ offset: 0, more: true, data: Buffer.alloc(8), id }]);
    }
    expect(fragments).toMatchObject({ underWay: FRAGMENTED_MAXIMUM, evicted: 10, incomplete: 10 });
  });

  it('so many bytes are kept', () => {
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
  const inner = Buffer.concat([fromHex('4500 0020 0001 4000 40 11 0000 c0a80001 c0a80002'), datagram(4)]);

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
      const packet = Buffer.concat([fromHex('0800 0000 00002a00'), frame4(piece)]);
      const outer = Buffer.concat([fromHex('4660 12b5 0000 0000'), packet]);
      outer.writeUInt16BE(outer.length, 4);
      return add(fragments, piece, frame4({ offset: 0, more: false, data: outer }));
    });
    const view = views.at(-1);
    expect(view && layersOf(view)).toBe('ethernet ipv4 udp vxlan ethernet ipv4 udp');
    expect(view).toMatchObject({ tunnelDepth: 1, destinationPort: 53, payloadLength: 3000, payloadCaptured: 3000 });
  });
});

it('any bytes, cut anywhere, are taken', () => {
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
