import { globSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { expectTrafficAgrees } from './traffic-agreement.ts';

const OWN = join(import.meta.dirname, 'protocols/captures');
/** One capture of others in so many. */
const ONE_IN = 40;
/** Without answers in the cache, on a busy machine. */
const TIMEOUT_MS = 300_000;

const own = globSync('*.pcap', { cwd: OWN }).sort();
const others = captureFiles().filter((_, index) => index % ONE_IN === 11);

test(
  'connections, streams and messages of our own captures agree with tshark',
  async () => {
    await expectTrafficAgrees(
      OWN,
      own.map((name) => join(OWN, name)),
    );
  },
  TIMEOUT_MS,
);

test.skipIf(others.length === 0)(
  'and those of a sample of the captures of others',
  async () => {
    await expectTrafficAgrees(CAPTURES, others);
  },
  TIMEOUT_MS,
);
