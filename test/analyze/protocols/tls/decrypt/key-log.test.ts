import { expect, test } from 'vitest';
import { KEY_LOG_BYTES } from '../../../../../src/analyze/limits.ts';
import { isComplete, KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';

const random = (number: number) => number.toString(16).padStart(64, '0');
const SECRET = 'ab'.repeat(48);

test('each secret counts once, and only lines that are no secrets count as invalid', () => {
  const log = new KeyLog();
  const text = [
    '# a comment',
    '',
    `CLIENT_RANDOM ${random(1)} ${SECRET}`,
    `CLIENT_RANDOM ${random(1).toUpperCase()} ${'cd'.repeat(48)}`,
    `CLIENT_TRAFFIC_SECRET_0 ${random(2)} ${'01'.repeat(32)}`,
    `SERVER_TRAFFIC_SECRET_0 ${random(2)} ${'02'.repeat(32)}`,
    // A label that is not used for anything here.
    `EXPORTER_SECRET ${random(2)} ${'03'.repeat(32)}`,
    'CLIENT_RANDOM 00 00',
    `CLIENT_RANDOM ${random(3)} ${'0'.repeat(95)}`,
  ];
  log.add(text.join('\n'));
  expect([log.version, log.size, log.invalid, log.leftOut]).toEqual([3, 2, 2, 0]);
  expect(log.secretsOf(Buffer.from(random(1), 'hex'))?.master?.toString('hex')).toBe(SECRET);
  expect(log.secretsOf(Buffer.from(random(9), 'hex'))).toBeUndefined();
  expect([...log.foundLines()]).toEqual([`CLIENT_RANDOM ${random(1)} ${SECRET}\n`]);
  log.add(`SERVER_HANDSHAKE_TRAFFIC_SECRET ${random(2)} ${'04'.repeat(32)}\r\n`);
  expect([log.version, log.size]).toEqual([4, 2]);
});

test('past the bound secrets are left out, and counted', () => {
  const log = new KeyLog();
  let count = 0;
  for (; log.leftOut === 0; count += 1) log.add(`CLIENT_RANDOM ${random(count)} ${SECRET}\n`);
  expect([log.size, log.version]).toEqual([count - 1, count - 1]);
  // More than the secrets themselves is counted, for what a connection costs.
  expect(log.size * 48).toBeLessThan(KEY_LOG_BYTES);
  expect(log.size * 500).toBeGreaterThan(KEY_LOG_BYTES);
});

test('of a log that grows the oldest secrets go, and whoever listens gets the newest', () => {
  const log = new KeyLog();
  log.growing = true;
  const added: string[] = [];
  log.onAdded = (key) => void added.push(key);
  log.add(`CLIENT_RANDOM ${random(0)} ${SECRET}\nCLIENT_RANDOM ${random(0)} ${SECRET}\n`);
  expect(added).toEqual([random(0)]);
  let count = 1;
  for (; log.secretsNamed(random(0)) !== undefined; count += 1) log.add(`CLIENT_RANDOM ${random(count)} ${SECRET}\n`);
  expect(log.secretsNamed(random(count - 1))?.master?.toString('hex')).toBe(SECRET);
  expect(log.leftOut).toBe(0);
  // Nothing of what is forgotten still counts.
  const left = log.size;
  for (let key = 0; key < count; key += 1) log.forget(random(key));
  expect(log.size).toBe(0);
  for (let key = 0; key < left; key += 1) log.add(`CLIENT_RANDOM ${random(key)} ${SECRET}\n`);
  expect([log.size, log.leftOut]).toEqual([left, 0]);
});

test('the lines of one connection', () => {
  const log = new KeyLog();
  const lines = `CLIENT_TRAFFIC_SECRET_0 ${random(2)} ${'01'.repeat(32)}\nSERVER_TRAFFIC_SECRET_0 ${random(2)} ${'02'.repeat(32)}\n`;
  log.add(`CLIENT_RANDOM ${random(1)} ${SECRET}\n${lines}`);
  expect([...log.linesOf(random(2))].join('')).toBe(lines);
  expect([...log.linesOf(random(3))]).toEqual([]);
  expect([isComplete(log.secretsNamed(random(1))), isComplete(log.secretsNamed(random(2)))]).toEqual([true, true]);
  log.add(`CLIENT_TRAFFIC_SECRET_0 ${random(4)} ${'01'.repeat(32)}`);
  expect([isComplete(log.secretsNamed(random(4))), isComplete(undefined)]).toEqual([false, false]);
});

test('a connection counts as decrypted once, when something of it was decrypted, and still does when its secrets go', () => {
  const log = new KeyLog();
  log.add(`CLIENT_RANDOM ${random(1)} ${SECRET}\nCLIENT_RANDOM ${random(2)} ${SECRET}`);
  log.secretsOf(Buffer.from(random(1), 'hex'));
  expect(log.decrypted).toBe(0);
  for (const number of [1, 1, 9]) log.onDecrypted(Buffer.from(random(number), 'hex'));
  expect(log.decrypted).toBe(1);
  log.forget(random(1));
  expect(log.decrypted).toBe(1);
});
