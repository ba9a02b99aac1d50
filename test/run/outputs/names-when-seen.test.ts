import { expect, test } from 'vitest';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { BlockFramer } from '../../../src/wire/pcapng-read.ts';
import type { NamedAddress } from '../../../src/wire/pcapng-write.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { TIME, UDP_FRAME, written } from './written.ts';

const ETHERNET = 1;
const IF_SEEN = { ifSeen: true } as const;
const a = { address: '10.0.0.1', names: ['other/a'], ...IF_SEEN };
const b = { address: '10.0.0.2', names: ['other/b'], ...IF_SEEN };
const never = { address: '10.0.0.3', names: ['other/never'], ...IF_SEEN };

/** IPv6 fd00::1 to fd00::2 behind Ethernet, no further header. */
const SIX_FRAME = Buffer.concat([
  Buffer.from('02000000000202000000000186dd', 'hex'),
  Buffer.from('6000000000003b40', 'hex'),
  Buffer.from(`fd${'00'.repeat(14)}01fd${'00'.repeat(14)}02`, 'hex'),
]);

/** What a file holds, in order: packets as `packet`, names by their text. */
async function order(frames: readonly Buffer[], ...tellings: readonly (readonly NamedAddress[])[]) {
  const { bytes } = await written(pcapng, (source, output) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/eth0', ETHERNET)]));
    for (const names of tellings) output.addNames(names);
    for (const [index, frame] of frames.entries()) source.push(sample.packet(0, TIME + BigInt(index), frame));
  });
  const found: string[] = [];
  new BlockFramer(({ type, bytes: all, offset, length }) => {
    if (type === BLOCK.enhancedPacket) found.push('packet');
    if (type !== BLOCK.nameResolution) return;
    const text = Buffer.from(all.subarray(offset, offset + length)).toString('latin1');
    found.push(...(text.match(/(other|shop)\/\w+/g) ?? []));
  }).push(bytes);
  return found;
}

test('who occurs is named before the first packet, once; who does not occur is not named', async () => {
  expect(await order([UDP_FRAME, UDP_FRAME], [a, never, b])).toEqual(['other/a', 'other/b', 'packet', 'packet']);
});

test('names told while packets flow come before the next packet', async () => {
  const { bytes } = await written(pcapng, (source, output, merge) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/eth0', ETHERNET)]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    merge.flush();
    output.addNames([a]);
    source.push(sample.packet(0, TIME + 1n, UDP_FRAME));
  });
  const names = bytes.indexOf('other/a');
  expect(names).toBeGreaterThan(bytes.indexOf(UDP_FRAME));
  expect(names).toBeLessThan(bytes.lastIndexOf(UDP_FRAME));
});

test('who is named anyway needs no second name, whichever was told first', async () => {
  const known = { address: '10.0.0.1', names: ['shop/a'] };
  expect(await order([UDP_FRAME], [known], [a])).toEqual(['shop/a', 'packet']);
  expect(await order([UDP_FRAME], [a], [known])).toEqual(['shop/a', 'packet']);
});

test('IPv6, and packets of which nothing can be read', async () => {
  const six = { address: 'fd00:0::2', names: ['other/six'], ...IF_SEEN };
  expect(SIX_FRAME).toHaveLength(54);
  const cut = [SIX_FRAME.subarray(0, 53), UDP_FRAME.subarray(0, 33), Buffer.alloc(0)];
  expect(await order([...cut, SIX_FRAME], [six, a])).toEqual(['packet', 'packet', 'packet', 'other/six', 'packet']);
});
