import { expect, test } from 'vitest';
import { pcap } from '../../../src/run/outputs/pcap.ts';
import { captureFrames } from '../../support/capture-file.ts';
import * as sample from '../../support/pcapng-sample.ts';
import { TIME, UDP_FRAME, written } from './written.ts';

const ETHERNET = 1;
const LINUX_SLL2 = 276;

test('packets with their times to the nanosecond and their lengths', async () => {
  const { bytes, output } = await written(pcap, (source) => {
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/eth0', ETHERNET)]));
    source.push(sample.packet(0, TIME, UDP_FRAME));
    source.push(sample.packet(0, TIME + 1n, UDP_FRAME.subarray(0, 21), 1_500));
    source.push(sample.statistics(0, TIME + 2n));
  });
  expect(captureFrames(bytes)).toMatchObject([
    { linkType: ETHERNET, time: TIME, bytes: UDP_FRAME, origlen: UDP_FRAME.length },
    { linkType: ETHERNET, time: TIME + 1n, bytes: UDP_FRAME.subarray(0, 21), origlen: 1_500 },
  ]);
  expect(bytes).toHaveLength(24 + 16 + UDP_FRAME.length + 16 + 21);
  expect(output.omitted).toMatch(/leaves out interface names, .*statistics$/);
});

test('without a packet the file is a whole pcap, with the snaplen of the capture', async () => {
  const { bytes } = await written(pcap, (source) =>
    source.push(Buffer.concat([sample.header(), sample.describe('a/b/any', LINUX_SLL2)])),
  );
  expect(bytes).toHaveLength(24);
  expect(bytes.readUInt32LE(16)).toBe(262_144);
  expect(bytes.readUInt32LE(20)).toBe(LINUX_SLL2);
});

test('packets of another link type are left out and counted', async () => {
  const { bytes, output } = await written(pcap, (source, target) => {
    target.addNames([{ address: '10.0.0.1', names: ['shop/web-1'] }]);
    const types = [ETHERNET, LINUX_SLL2, ETHERNET];
    source.push(Buffer.concat([sample.header(), ...types.map((type, id) => sample.describe(`a/${id}/any`, type))]));
    for (const id of [0, 1, 2, 1]) source.push(sample.packet(id, TIME, UDP_FRAME));
  });
  expect(captureFrames(bytes)).toHaveLength(2);
  expect(output.omitted).toContain("and 2 packets of another link type than the first interface's");
});

test('nothing captured is nothing written', async () => {
  expect((await written(pcap, () => {})).bytes).toHaveLength(0);
});
