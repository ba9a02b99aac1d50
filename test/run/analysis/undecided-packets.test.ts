import { describe, expect, it, test } from 'vitest';
import { json } from '../../../src/run/analysis/json.ts';
import { text } from '../../../src/run/analysis/text.ts';
import { lineSize, UndecidedPackets } from '../../../src/run/analysis/undecided-packets.ts';
import { pcapFileHeader } from '../../../src/wire/pcap-write.ts';
import { fromHex, udp } from '../../analyze/decoded.ts';
import { cut, type Fragment, frame4, SECOND } from '../../analyze/made-fragments.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

/** A connection in which each side's bytes acknowledge all of the other's. */
function conversation(port: number, steps: readonly (readonly [0 | 1, string])[]): Buffer {
  const next: [number, number] = [1001, 5001];
  const segments = steps.map(([side, payload], index): BuiltSegment => {
    const [sequence, acknowledgment] = [next[side], next[side === 0 ? 1 : 0]];
    next[side] += payload.length;
    return { side, sequence, acknowledgment, flags: 'P.', payload, at: 10 + index, ports: [40_000, port] };
  });
  const opening = handshake([1000, 5000]).map((segment) => ({ ...segment, ports: [40_000, port] as const }));
  return builtPcap([...opening, ...segments]);
}

function linesOf(kind: typeof text | typeof json, bytes: Buffer): string[] {
  const { lines } = analysed(kind, bytes, { json: kind === json });
  return lines;
}

describe('packets of a connection that no protocol recognises', () => {
  // PING could be an inline command of Redis until more is seen.
  const queue = conversation(4222, [
    [0, 'PUT a 2\r\nhi\r\n'],
    [1, '+OK\r\n'],
    [0, 'PING\r\n'],
    [1, 'PONG\r\n'],
  ]);

  it('are all in the text, in their order', () => {
    const sequences = linesOf(text, queue).flatMap((line) => /seq (\d+)/.exec(line)?.[1] ?? []);
    expect(sequences).toEqual(['1001', '5001', '1014', '5006']);
  });

  it('are all in the JSON', () => {
    const kinds = linesOf(json, queue).map((line) => JSON.parse(line).kind);
    expect(kinds).toEqual(['packet', 'packet', 'packet', 'packet']);
  });
});

test('packets of a protocol that the second one shows are an exchange and nothing else', () => {
  const redis = conversation(6380, [
    [0, '*2\r\n$3\r\nGE'],
    [0, 'T\r\n$1\r\nk\r\n'],
    [1, '$1\r\nv\r\n'],
  ]);
  expect(linesOf(json, redis).map((line) => JSON.parse(line).kind)).toEqual(['exchange']);
});

test('what is held is bounded: the flow that waits longest is written', () => {
  const written: number[] = [];
  const undecided = new UndecidedPackets<string>((_, time) => void written.push(time), lineSize);
  undecided.add(1, 'x'.repeat(600_000), 1);
  undecided.add(2, 'x'.repeat(600_000), 2);
  expect(written).toEqual([1]);
  undecided.end();
  expect(written).toEqual([1, 2]);
});

describe('fragments of a datagram', () => {
  /** A DNS query, and a datagram that no protocol decodes. */
  const dns = fromHex('0001 0100 0001 0000 0000 0000 03626967 076578616d706c65 00 0001 0001');
  const query = cut(Buffer.concat([fromHex(udp(8 + dns.length)), dns]), 16);
  const other = query.map((fragment) => ({ ...fragment, data: Buffer.alloc(fragment.data.length, 0xff) }));

  const captured = (fragments: readonly Fragment[]) =>
    Buffer.concat([
      pcapFileHeader(1, 262_144),
      ...fragments.flatMap((fragment, index) => {
        const frame = frame4(fragment);
        const record = Buffer.alloc(16);
        record.writeUInt32LE(fragment.time === undefined ? 1_700_000_000 + index : Number(fragment.time / SECOND), 0);
        record.writeUInt32LE(frame.length, 8);
        record.writeUInt32LE(frame.length, 12);
        return [record, frame];
      }),
    ]);
  const kinds = (fragments: readonly Fragment[]) =>
    linesOf(json, captured(fragments)).map((line) => JSON.parse(line).kind);
  const offsets = (fragments: readonly Fragment[]) =>
    linesOf(text, captured(fragments)).flatMap((line) => /\boffset (\d+)/.exec(line)?.[1] ?? []);

  test('have no lines where the whole has: in order, or not, or twice', () => {
    const [first, second, third] = query as [Fragment, Fragment, Fragment];
    for (const fragments of [query, [third, first, second], [first, first, second, second, third, third]]) {
      expect(kinds(fragments)).toEqual(['exchange']);
      expect(offsets(fragments)).toEqual([]);
    }
  });

  test('have one each, in their order, where no protocol decodes the whole', () => {
    expect(kinds(other)).toEqual(['packet', 'packet', 'packet']);
    expect(offsets(other)).toEqual(['0', '16', '32']);
  });

  test('have one each where it does not become whole: at its end, and when it is given up', () => {
    const missing = query.filter((_, index) => index !== 1);
    expect(kinds(missing)).toEqual(['packet', 'packet']);
    // 31 s later nobody waits for the missing one any more.
    const later = other.map((fragment) => ({ ...fragment, time: 1_700_000_031n * SECOND }));
    const times = linesOf(json, captured([...missing, ...later])).map((line) => JSON.parse(line).time);
    expect(times).toHaveLength(5);
    expect(times).toEqual(times.toSorted());
    expect(kinds([...missing, ...query.map((fragment) => ({ ...fragment, id: 9 }))])).toEqual([
      'packet',
      'packet',
      'exchange',
    ]);
  });
});
