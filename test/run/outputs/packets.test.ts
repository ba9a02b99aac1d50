import { expect, test } from 'vitest';
import { outputKind } from '../../../src/run/outputs/index.ts';
import type { OutputKind } from '../../../src/run/outputs/output.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { TIME, UDP_FRAME, written } from './written.ts';

const packets = outputKind('packets') as OutputKind;

const lines = (bytes: Buffer) => bytes.toString('utf8').split('\n').slice(0, -1);

test('one line per packet: whose, which way, by name where there is one', async () => {
  const { bytes, output } = await written(packets, (source, target) => {
    target.addNames([{ address: '10.0.0.1', names: ['shop/client'] }]);
    source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any')]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    source.push(sample.statistics(0, TIME + 1n));
    source.push(sample.packet(0, TIME + 2n, UDP_FRAME.subarray(0, 36), UDP_FRAME.length));
  });
  expect(lines(bytes)).toEqual([
    expect.stringMatching(
      /^\d\d:\d\d:\d\d\.123456789 shop\/web-1 in {2}shop\/client:1000 > shop\/web-1:2000 UDP .*46$/,
    ),
    expect.stringMatching(/^\d\d:\d\d:\d\d\.123456791 shop\/web-1 in {2}.* length 46 \(36 captured\)$/),
  ]);
  expect(output.omitted).toBeUndefined();
});

test('names that become known later hold from then on', async () => {
  const { bytes } = await written(packets, (source, target) => {
    source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any')]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    target.addNames([{ address: '10.0.0.1', names: ['shop/client'] }]);
    source.push(sample.packet(0, TIME, UDP_FRAME));
  });
  expect(lines(bytes)[0]).toContain('10.0.0.1:1000 >');
  expect(lines(bytes)[1]).toContain('shop/client:1000 >');
});

test('a name cannot move the terminal, and a packet of random bytes is still one line', async () => {
  const { bytes } = await written(packets, (source, target) => {
    target.addNames([{ address: '10.0.0.1', names: ['a\u001b[2Jb'] }]);
    source.push(
      Buffer.concat([sample.header(), sample.describe('shop/\u009bweb/any'), sample.describe('x/y/any', 65_000)]),
    );
    source.push(sample.packet(0, TIME, UDP_FRAME));
    source.push(sample.packet(0, TIME, Buffer.alloc(50, 0xff)));
    source.push(sample.packet(0, TIME, Buffer.alloc(0), 50));
    source.push(sample.packet(1, TIME, Buffer.alloc(50, 0x1b)));
  });
  expect(lines(bytes)).toHaveLength(4);
  expect(bytes.toString('utf8')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('colours only where they are wanted', async () => {
  const send = (source: Parameters<Parameters<typeof written>[1]>[0]) => {
    source.push(Buffer.concat([sample.header(), sample.describe('shop/web-1/any')]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
  };
  expect((await written(packets, send, { colour: true })).bytes.includes('\u001b[')).toBe(true);
  expect((await written(packets, send)).bytes.includes('\u001b[')).toBe(false);
});

test('nothing captured is nothing said', async () => {
  expect((await written(packets, () => {})).bytes).toHaveLength(0);
});
