import { expect, test } from 'vitest';
import { parsePodKeyLog } from '../../../src/run/keys/pod-key-log.ts';
import { readKeyLog } from '../../../src/run/keys/read-key-log.ts';

const USAGE = expect.objectContaining({ code: 'USAGE' });

test('exec:CONTAINER:PATH is a key log in pods; anything else is a file here', () => {
  expect(parsePodKeyLog('exec:app:/k/a:b.log')).toEqual({ container: 'app', path: '/k/a:b.log' });
  expect(parsePodKeyLog('exec.log')).toBeUndefined();
});

test.each([
  'exec:',
  'exec:app',
  'exec:app:keys.log',
  'exec:App:/k',
  'exec:-a:/k',
  'exec::/k',
  'exec:app:/k\n',
  `exec:app:/${'k'.repeat(4096)}`,
])('%j is refused', (text) => {
  expect(() => parsePodKeyLog(text)).toThrow(USAGE);
});

test('a capture file is not decrypted with keys of running pods', async () => {
  await expect(readKeyLog('exec:app:/k')).rejects.toEqual(USAGE);
});
