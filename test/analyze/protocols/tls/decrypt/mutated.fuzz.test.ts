import { expect, test } from 'vitest';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { tls13Stages } from '../../../../../src/analyze/protocols/tls/decrypt/stages.ts';
import { analyseBytes } from '../../../../support/analysis.ts';
import { Random } from '../../../../support/random.ts';
import { type Recorded, recordTls } from './recorded.ts';
import { Sealer } from './sealed.ts';
import { tlsCapture } from './tls-capture.ts';

const RECORDS = 1_000_000;
const CONVERSATIONS = 4000;
const HEADER = 5;

test(`of ${RECORDS} records with changed bytes none is decrypted`, { timeout: 1_200_000 }, () => {
  const secret = Buffer.alloc(32, 9);
  const [stage] = tls13Stages('data', secret, 0x1301);
  if (stage === undefined) throw new Error('no stage');
  const record = new Sealer(secret).seal(23, Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  const [header, body] = [record.subarray(0, HEADER), record.subarray(HEADER)];
  expect(stage.cipher.open(header, body, 0)).toBeDefined();
  const random = new Random(1);
  let opened = 0;
  for (let count = 0; count < RECORDS; count += 1) {
    const at = random.below(body.length);
    const before = body[at] as number;
    body[at] = before ^ (1 + random.below(255));
    if (stage.cipher.open(header, body, random.below(4)) !== undefined) opened += 1;
    body[at] = before;
  }
  expect(opened).toBe(0);
});

/** Bytes of it changed, cut out, or sent twice. */
function mutated(steps: Recorded['steps'], random: Random): Recorded['steps'] {
  return steps.map(([side, bytes]) => {
    if (random.below(4) > 0) return [side, bytes] as const;
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    const kind = random.below(3);
    if (kind === 0) copy[at] = random.below(256);
    else if (kind === 1) return [side, copy.subarray(0, at)] as const;
    else return [side, Buffer.concat([copy.subarray(0, at), copy])] as const;
    return [side, copy] as const;
  });
}

test(`${CONVERSATIONS} conversations with changed bytes give only what was sent, and never throw`, {
  timeout: 1_200_000,
}, async () => {
  const talk = Array.from({ length: 6 }, (_, index) => {
    const body = 'x'.repeat(index * 371);
    return [
      `GET /${'abcdef'[index]} HTTP/1.1\r\nHost: web.shop\r\n\r\n`,
      `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ] as const;
  });
  const labels = new Set(talk.map(([request]) => request.slice(0, 6)));
  for (const version of ['TLSv1.3', 'TLSv1.2'] as const) {
    const recorded = await recordTls({ version, talk });
    for (let seed = 1; seed <= CONVERSATIONS / 2; seed += 1) {
      const random = new Random(seed);
      const keys = new KeyLog();
      keys.add(recorded.keyLog);
      const { events } = analyseBytes(tlsCapture(mutated(recorded.steps, random)), true, 1 << 20, keys);
      for (const { event } of events) {
        if (event.protocol !== 'http' || event.kind !== 'exchange' || event.incomplete !== undefined) continue;
        expect([seed, labels.has(event.label), event.status]).toEqual([seed, true, '200']);
      }
    }
  }
});
