import { expect, test } from 'vitest';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { BlockFramer } from '../../../src/wire/pcapng-read.ts';
import { captureFrames } from '../../support/capture-file.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { TIME, UDP_FRAME, written } from './written.ts';

const NAME_OF = Object.fromEntries(Object.entries(BLOCK).map(([name, type]) => [type, name]));

/** The blocks' kinds in order; the file must end with the last of them. */
function kinds(bytes: Uint8Array): string[] {
  const all: string[] = [];
  const framer = new BlockFramer(({ type }) => all.push(NAME_OF[type] ?? String(type)));
  framer.push(bytes);
  expect(framer.pending).toBe(0);
  return all;
}

test('one section: the first interface, the start marker, names, packets as they came, the end marker last', async () => {
  const { bytes } = await written(pcapng, (source, output) => {
    output.addNames([{ address: '10.0.0.1', names: ['shop/web-1'] }]);
    source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any', 276)]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    source.push(sample.packet(0, TIME + 5n, UDP_FRAME.subarray(0, 20), UDP_FRAME.length));
    source.push(sample.statistics(0, TIME + 9n, TIME + 9n));
  });
  expect(kinds(bytes)).toEqual([
    ...['sectionHeader', 'interfaceDescription', 'ksnoopStart', 'nameResolution'],
    ...['enhancedPacket', 'enhancedPacket', 'interfaceStatistics', 'ksnoopEnd'],
  ]);
  expect(captureFrames(bytes)).toMatchObject([
    { linkType: 276, time: TIME, bytes: UDP_FRAME, origlen: UDP_FRAME.length, flags: 1 },
    { linkType: 276, time: TIME + 5n, bytes: UDP_FRAME.subarray(0, 20), origlen: UDP_FRAME.length },
  ]);
});

test('names that come later are written once, and again only when they change', async () => {
  const web = { address: '10.0.0.1', names: ['shop/web-1'] };
  const { bytes } = await written(pcapng, (source, output) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/any')]));
    output.addNames([web, { address: 'fd00::1', names: ['shop/web-1'] }]);
    output.addNames([web]);
    output.addNames([{ ...web, names: ['shop/api-1'] }]);
  });
  expect(kinds(bytes).filter((kind) => kind === 'nameResolution')).toHaveLength(2);
  expect(bytes.includes('shop/api-1')).toBe(true);
});

test('an interface whose stream was lost gets its last statistics from what is in the file', async () => {
  const { bytes } = await written(pcapng, (source) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/any'), sample.describe('a/c/any')]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    source.push(sample.packet(1, TIME, UDP_FRAME));
    // Statistics under way are not the last: those carry isb_endtime.
    source.push(sample.statistics(0, TIME + 1n));
    source.push(sample.statistics(1, TIME + 1n, TIME + 1n));
  });
  expect(kinds(bytes).slice(-4)).toEqual([
    'interfaceStatistics',
    'interfaceStatistics',
    'interfaceStatistics',
    'ksnoopEnd',
  ]);
});

test('the end marker tells the reason and the packets of each interface', async () => {
  const send = (source: Parameters<Parameters<typeof written>[1]>[0]) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/any'), sample.describe('a/c/any')]));
    for (const [id, time] of [
      [0, 1n],
      [1, 2n],
      [0, 3n],
    ] as const)
      source.push(sample.packet(id, time, UDP_FRAME));
  };
  const { bytes } = await written(pcapng, send, { reason: 'duration' });
  let body = '';
  new BlockFramer((block) => {
    const { type, offset, length } = block;
    if (type === BLOCK.ksnoopEnd)
      body = Buffer.from(block.bytes.subarray(offset + 8, offset + length - 4)).toString('utf8');
  }).push(bytes);
  expect(body).toContain('"duration"');
  expect(body).toContain('[2,1]');
});

test('an interface after a gap says so, and stays readable', async () => {
  const { bytes } = await written(pcapng, (source) => {
    source.lostSince = { from: new Date(0), reason: 'the connection was cut.' };
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/any')]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
  });
  expect(bytes.toString('latin1')).toMatch(
    /a gap before this interface, from 1970-01-01T00:00:00.000Z to \S+: the connection/,
  );
  expect(captureFrames(bytes)).toHaveLength(1);
});
