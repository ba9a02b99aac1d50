import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KSNOOP } from '../../support/ksnoop-process.ts';

const capture = join(import.meta.dirname, '../../analyze/protocols/captures/http2.pcap');

test('not on a terminal it says what to use instead', () => {
  const [command, ...before] = KSNOOP;
  const run = () => execFileSync(command, [...before, 'top', capture], { stdio: ['ignore', 'pipe', 'pipe'] });
  expect(run).toThrow(/stdout is not a terminal.*-o summary/);
});
