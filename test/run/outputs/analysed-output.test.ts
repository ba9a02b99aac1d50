import { appendFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { text } from '../../../src/run/analysis/text.ts';
import { AnalysedOutput } from '../../../src/run/outputs/analysed-output.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { CaptureFramer } from '../../../src/wire/capture-read.ts';
import { BLOCK } from '../../../src/wire/pcapng.ts';
import { interfaceDescription } from '../../../src/wire/pcapng-write.ts';
import { recordTls } from '../../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../../analyze/protocols/tls/decrypt/tls-capture.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { PLAIN } from './plain.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-analysed-'));
const described = interfaceDescription({ linkType: 1, snaplen: 262_144, name: 'shop/web/eth0', description: '' });
const frames: Buffer[] = [];
let lines: string[] = [];
let opened = 0;

beforeAll(async () => {
  const recorded = await recordTls({
    version: 'TLSv1.3',
    talk: [['GET /cart HTTP/1.1\r\nHost: web.shop\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok']],
  });
  const framer = new CaptureFramer({
    interface: () => {},
    packet: (bytes, offset, caplen) => void frames.push(Buffer.from(bytes.subarray(offset, offset + caplen))),
  });
  framer.push(tlsCapture(recorded.steps));
  lines = recorded.keyLog.split('\n').filter((line) => line !== '');
});
afterAll(() => rmSync(directory, { recursive: true }));

/** A capture with a key log that has a whole connection's packets, from its SYN to both FINs. */
async function captured() {
  opened += 1;
  const [file, keyLog] = [join(directory, `${opened}.txt`), join(directory, `${opened}.log`)];
  const clock = { now: 0 };
  const writer = new ByteWriter(openSync(file, 'w'), () => {});
  const output = new AnalysedOutput(text, { ...PLAIN, writer, keyLog }, () => clock.now);
  output.addInterface(0, described, 0, described.length, { stream: 0, index: 0, gap: undefined, remarks: [] });
  frames.forEach((bytes, index) => {
    const block = packetBlock({ interfaceId: 0, time: 1_700_000_000_000_000_000n + BigInt(index) * 1_000_000n, bytes });
    output.write(BLOCK.enhancedPacket, 0, block, 0, block.length);
    // What was handed over may change afterwards.
    block.fill(0);
  });
  const shown = () => {
    output.flush();
    return readFileSync(file, 'utf8');
  };
  const end = async () => {
    await output.close();
    writer.close();
    return readFileSync(file, 'utf8');
  };
  return { keyLog, clock, shown, end };
}

test('a connection that is over before its secrets are in the key log is decrypted', async () => {
  const { keyLog, clock, shown, end } = await captured();
  clock.now = 1499;
  writeFileSync(keyLog, `${lines.slice(0, 2).join('\n')}\n`);
  expect(shown()).not.toMatch(/TLS|GET/);
  appendFileSync(keyLog, `${lines.slice(2).join('\n')}\n`);
  await expect.poll(shown, { timeout: 20_000 }).toMatch(/HTTP GET \/cart 200/);
  await end();
});

test('without secrets it is shown after a while as it is', async () => {
  const { clock, shown, end } = await captured();
  clock.now = 1499;
  expect(shown()).not.toContain('TLS');
  clock.now = 1500;
  await expect.poll(shown, { timeout: 20_000 }).toContain('TLS');
  expect(await end()).not.toContain('GET /cart');
});

test('what waits at the end is read with the secrets that are there by then', async () => {
  const { keyLog, end } = await captured();
  writeFileSync(keyLog, `${lines.join('\n')}\n`);
  expect(await end()).toContain('GET /cart');
});
