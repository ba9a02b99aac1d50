import { expect, test } from 'vitest';
import { logLine } from '../../../src/agent/session/container-log.ts';

const TIME = new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
const SESSION = '0123456789abcdef0123456789abcdef';

test('a line is one JSON object: time, session, event and its facts', () => {
  const line = logLine(TIME, SESSION, { event: 'capture', uid: 'u', container: undefined, inode: 7 });
  expect(line).toBe('{"time":"2026-01-02T03:04:05.006Z","session":"01234567","event":"capture","uid":"u","inode":7}\n');
});

test.each(['a\n{"event":"end"}', 'a\r\nb', 'a\u0085b', 'a\u2028b', 'a\u009b2Jb', 'a\u202eb', 'ü☃😀', '"\\'])(
  'what a client claims forges no line and moves no terminal: %j',
  (claimed) => {
    const line = logLine(TIME, SESSION, { event: 'capture', claimed });
    expect(line).toMatch(/^[\x20-\x7e]+\n$/);
    expect(JSON.parse(line)).toMatchObject({ event: 'capture', claimed });
  },
);

test('who reads the log cannot take the session over', () => {
  expect(logLine(TIME, SESSION, { event: 'end' })).not.toContain(SESSION.slice(0, 9));
});
