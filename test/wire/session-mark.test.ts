import { expect, test } from 'vitest';
import { isOrphaned, SESSION_MARK } from '../../src/wire/session-mark.ts';

const MARKED = `PATH=/bin\0${SESSION_MARK}=abc\0`;

test.each([
  [MARKED, '/sbin/init\0', true],
  [MARKED, '/lib/systemd/systemd\0--user\0', true],
  [MARKED, 'node\0/usr/lib/ksnoop-agent\0idle\0', false],
  [MARKED, 'node\0/home/x/src/agent/main.ts\0capture\0', false],
  ['PATH=/bin\0', '/sbin/init\0', false],
  // The name of the variable alone, or as a part of another one, is no mark.
  [`X${SESSION_MARK}=abc\0`, '/sbin/init\0', false],
  [`PATH=${SESSION_MARK}=\0`, '/sbin/init\0', false],
  [`${SESSION_MARK}\0`, '/sbin/init\0', false],
])('environment %j below %j: %s', (environ, parent, orphaned) => {
  expect(isOrphaned(environ, parent)).toBe(orphaned);
});
