import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { FOUND_MAXIMUM, foundBatch, foundText } from '../../../src/wire/found-block.ts';
import { ColumnBytes } from '../../../src/wire/found-columns/bytes.ts';
import { FoundColumnsWriter } from '../../../src/wire/found-columns/writer.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import type { BlockView } from '../../../src/wire/pcapng-read.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';

const INTERFACE = interfaceDescription({ linkType: 1, snaplen: 100, name: 'shop/web/any', description: '' });

const found = (time: number, value: unknown, interfaceId = 0) => ({ at: { interfaceId, time: BigInt(time) }, value });
const columns = (texts: readonly ReturnType<typeof found>[], writer = new FoundColumnsWriter()) => {
  for (const { at, value } of texts) expect(writer.add(at, value)).toBe('added');
  return Uint8Array.from(writer.take());
};
const packed = (bytes: Uint8Array) => foundBatch(zstdCompressSync(bytes), bytes.length);
const batch = (...parameters: Parameters<typeof columns>) => packed(columns(...parameters));

/** What a merge writes of streams with one interface each. */
function merged(...streams: readonly (readonly Uint8Array[])[]): { stream: number; json: string; id: number }[] {
  const written: { stream: number; json: string; id: number }[] = [];
  const merge = new Merge(
    {
      addInterface: () => {},
      write: (type, id, bytes, offset, length) => {
        expect(type).toBe(BLOCK.ksnoopFound);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const block: BlockView = { bytes, view, offset, length, type, littleEndian: true };
        written.push({ ...foundText(block), id });
      },
    },
    () => 0,
  );
  merge.held = true;
  const sources = streams.map((blocks, index) => {
    const source = merge.addSource(`node-${index}`);
    source.push(Buffer.concat([sectionHeader(''), INTERFACE, ...blocks]));
    return source;
  });
  for (const source of sources) source.end();
  merge.flush();
  return written;
}

test('what nodes found comes in the order of time, with the numbers of stream and interface', () => {
  const writer = new FoundColumnsWriter();
  const one = [batch([found(10, ['a']), found(30, ['c'])], writer), batch([found(40, ['d'])], writer)];
  const other = [batch([found(20, ['b'])])];
  expect(merged(one, other)).toEqual([
    { stream: 1, json: '["a"]', id: 0 },
    { stream: 2, json: '["b"]', id: 1 },
    { stream: 1, json: '["c"]', id: 0 },
    { stream: 1, json: '["d"]', id: 0 },
  ]);
});

test('what one node found stays in its order, also where its times go back', () => {
  const texts = merged([batch([found(30, ['x']), found(10, ['y']), found(20, ['z'])])]).map(({ json }) => json);
  expect(texts).toEqual(['["x"]', '["y"]', '["z"]']);
});

const WHOLE = columns([found(1, [])]);
/** The second batch of a stream, whose template came with the first. */
const SECOND = (() => {
  const writer = new FoundColumnsWriter();
  columns([found(1, [])], writer);
  return columns([found(2, [])], writer);
})();

test.each([
  ['not compressed', foundBatch(WHOLE, WHOLE.length)],
  ['longer than it claims', foundBatch(zstdCompressSync(Buffer.alloc(1_000_000)), 100)],
  ['shorter than it claims', foundBatch(zstdCompressSync(WHOLE), WHOLE.length + 4)],
  ['cut', packed(WHOLE.subarray(0, -4))],
  ['without the one before it', packed(SECOND)],
  ['of an interface that is not described', batch([found(1, [], 9)])],
  ['of a text that is too long', packed(longText())],
  ['empty', batch([])],
])('a batch that is %s damages its stream', (_what, block) => {
  expect(() => merged([block])).toThrow(/The stream of node-0 is damaged/);
});

/** As no writer makes it. */
function longText(): Uint8Array {
  const bytes = new ColumnBytes();
  const text = 'x'.repeat(FOUND_MAXIMUM + 1);
  for (const number of [1, 0]) bytes.varint(number);
  bytes.long(1n);
  for (const number of [1, text.length]) bytes.varint(number);
  bytes.text(text);
  for (const number of [1, 0, 3]) bytes.varint(number);
  bytes.long(0n);
  return Uint8Array.from(bytes.take());
}
