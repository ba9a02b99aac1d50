import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { analyseFile } from '../../../support/analysis.ts';
import { compareHellos } from './compare-hellos.ts';
import { hasTshark, tsharkHellos } from './tshark-hellos.ts';

const capture = (name: string) => fileURLToPath(new URL(`../captures/${name}`, import.meta.url));
const ports = Array.from({ length: 9 }, (_, index) => 4401 + index);

test.runIf(hasTshark()).each([
  ['tls.pcap', 19 + 15],
  ['quic.pcap', 16],
])('every hello of %s is read as tshark reads it', async (name, atLeast) => {
  const compared = compareHellos(await analyseFile(capture(name)), await tsharkHellos(capture(name), ports));
  expect(compared.different).toEqual([]);
  expect(compared.more).toEqual([]);
  expect(compared.agreed).toBeGreaterThanOrEqual(atLeast);
});
