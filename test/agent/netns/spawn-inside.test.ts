import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { outputOf } from '../../../src/agent/netns/spawn-inside.ts';

const MINUTE_MS = 60_000;

async function printed(argv: readonly [string, ...string[]], milliseconds = MINUTE_MS): Promise<string> {
  const chunks: Buffer[] = [];
  const child = spawn(argv[0], argv.slice(1));
  await outputOf(child, milliseconds, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks).toString();
}

test('what a program prints is taken whole, its errors are not', async () => {
  expect(await printed(['sh', '-c', 'echo a; echo wrong >&2; echo b'])).toBe('a\nb\n');
});

test('a program that cannot be started prints nothing', async () => {
  expect(await printed(['/nonexistent/program'])).toBe('');
});

test('a program that does not end is killed', { timeout: MINUTE_MS }, async () => {
  // It would run for an hour.
  expect(await printed(['sleep', '3600'], 50)).toBe('');
});
