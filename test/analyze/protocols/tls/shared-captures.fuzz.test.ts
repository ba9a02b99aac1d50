import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { analyseFile } from '../../../support/analysis.ts';
import { CAPTURES, captureFiles } from '../../../support/captures.ts';
import { compareHellos } from './compare-hellos.ts';
import { hasTshark, tsharkHellos } from './tshark-hellos.ts';

/** By file: hellos that only tshark reads, or otherwise; handshakes that only the analysis reads; and why. */
const KNOWN: Readonly<Record<string, readonly [different: number, more: number, why: string]>> = {
  'zeek/quic/quicdoq.pcap': [0, 1, 'tshark 4.0 takes port 853 for DTLS'],
  'zeek/rdp/rdp-no-cookie-mstshash.pcap': [0, 1, 'tshark does not look for TLS behind RDP'],
  'zeek/rdp/rdp-to-ssl.pcap': [0, 2, 'tshark does not look for TLS behind RDP'],
  'zeek/rdp/rdpeudp2-handshake-success.pcap': [1, 0, 'TLS in RDP on UDP, which is not decoded'],
  'zeek/tls/https-to-http.pcap': [0, 1, 'tshark takes port 80 for HTTP'],
  'zeek/tls/irc-starttls.pcap': [0, 1, 'tshark does not look for TLS behind IRC'],
  'zeek/tls/ssl-to-http-server.pcap': [0, 1, 'tshark takes port 80 for HTTP'],
  'zeek/tls/ssl-v2.pcap': [2, 0, 'SSL 2.0 is not decoded'],
  'zeek/tls/ssl.v3.pcap': [1, 0, "a hello in SSL 2.0's form: tshark shows its cipher suites under another name"],
};

/** Bytes without which there is no hello: a handshake's record, or a long header of QUIC with its version. */
const MAY_HOLD = /\x16\x03[\0-\x04]|[\x80-\xff](?:\0\0\0\x01|\x6b\x33\x43\xcf|\xff\0\0[\x1d-\x20])/s;

async function mayHold(path: string): Promise<boolean> {
  const bytes = await readFile(path);
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  return MAY_HOLD.test(plain.toString('latin1'));
}

test.runIf(hasTshark())('every hello of the shared captures is read as tshark reads it', async () => {
  const different: string[] = [];
  let agreed = 0;
  for (const path of captureFiles()) {
    if (!(await mayHold(path))) continue;
    const name = relative(CAPTURES, path);
    const compared = compareHellos(await analyseFile(path), await tsharkHellos(path));
    agreed += compared.agreed;
    const [less, more] = KNOWN[name] ?? [0, 0];
    if (compared.different.length === less && compared.more.length === more) continue;
    different.push(...[...compared.different, ...compared.more].map((one) => `${name}: ${one}`));
  }
  const known = Object.entries(KNOWN).map(([name, [less, more, why]]) => `${name}: -${less} +${more}, ${why}`);
  console.log(`${agreed} hellos agree; known differences:\n${known.join('\n')}`);
  expect(different).toEqual([]);
});
