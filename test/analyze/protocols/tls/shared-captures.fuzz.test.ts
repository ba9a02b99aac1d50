import { relative } from 'node:path';
import { expect, test } from 'vitest';
import { analyseFile } from '../../../support/analysis.ts';
import { CAPTURES, captureFiles } from '../../../support/captures.ts';
import { compareHellos } from './compare-hellos.ts';
import { hasTshark, tsharkHellos } from './tshark-hellos.ts';

/** Hellos that are read otherwise, by file: how many, and why. */
const KNOWN: Readonly<Record<string, readonly [count: number, why: string]>> = {
  'zeek/http/connect-with-header.pcap': [2, "in a tunnel of HTTP's CONNECT, which is not looked into"],
  'zeek/rdp/rdpeudp2-handshake-success.pcap': [1, 'TLS in RDP on UDP, which is not decoded'],
  'zeek/tls/ssl-v2.pcap': [2, 'SSL 2.0 is not decoded'],
  'zeek/tls/ssl.v3.pcap': [1, "a hello in SSL 2.0's form: tshark 4.0 shows its cipher suites under another name"],
};

test.runIf(hasTshark())('every hello of the shared captures is read as tshark reads it', async () => {
  const files = captureFiles();
  const different: string[] = [];
  let agreed = 0;
  for (const path of files) {
    const name = relative(CAPTURES, path);
    const compared = compareHellos(await analyseFile(path), tsharkHellos(path));
    agreed += compared.agreed;
    if (compared.different.length === KNOWN[name]?.[0]) continue;
    different.push(...[...compared.different, ...compared.more].map((one) => `${name}: ${one}`));
  }
  const known = Object.entries(KNOWN).map(([name, [count, why]]) => `${name}: ${count}, ${why}`);
  console.log(`${agreed} hellos agree; known differences:\n${known.join('\n')}`);
  expect(different).toEqual([]);
});
