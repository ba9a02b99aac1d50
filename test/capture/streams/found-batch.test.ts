import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Merge } from '../../../src/capture/streams/merge.ts';
import { foundBatch, foundText } from '../../../src/wire/found-block.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import type { BlockView } from '../../../src/wire/pcapng-read.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { foundBlock } from '../../support/found-block.ts';

const INTERFACE = interfaceDescription({ linkType: 1, snaplen: 100, name: 'shop/web/any', description: '' });

const found = (time: number, json: string) => foundBlock({ interfaceId: 0, time: BigInt(time), stream: 0 }, json);
const batch = (blocks: readonly Uint8Array[]) => {
  const bytes = Buffer.concat(blocks);
  return foundBatch(zstdCompressSync(bytes), bytes.length);
};

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
  const one = [batch([found(10, '["a"]'), found(30, '["c"]')]), batch([found(40, '["d"]')])];
  const other = [batch([found(20, '["b"]')])];
  expect(merged(one, other)).toEqual([
    { stream: 1, json: '["a"]', id: 0 },
    { stream: 2, json: '["b"]', id: 1 },
    { stream: 1, json: '["c"]', id: 0 },
    { stream: 1, json: '["d"]', id: 0 },
  ]);
});

test('what one node found stays in its order, also where its times go back', () => {
  const texts = merged([batch([found(30, '["x"]'), found(10, '["y"]'), found(20, '["z"]')])]).map(({ json }) => json);
  expect(texts).toEqual(['["x"]', '["y"]', '["z"]']);
});

const WHOLE = Buffer.concat([found(1, '[]')]);

test.each([
  ['not compressed', foundBatch(WHOLE, WHOLE.length)],
  ['longer than it claims', foundBatch(zstdCompressSync(Buffer.alloc(1_000_000)), 100)],
  ['shorter than it claims', foundBatch(zstdCompressSync(WHOLE), WHOLE.length + 4)],
  ['cut', batch([WHOLE.subarray(0, -4)])],
  ['of other blocks', batch([INTERFACE])],
  ['of an interface that is not described', batch([foundBlock({ interfaceId: 9, time: 1n, stream: 0 }, '[]')])],
  ['empty', batch([])],
])('a batch that is %s damages its stream', (_what, block) => {
  expect(() => merged([block])).toThrow(/The stream of node-0 is damaged/);
});
