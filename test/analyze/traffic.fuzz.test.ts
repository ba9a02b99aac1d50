import { expect, test } from 'vitest';
import { CAPTURES, captureFiles } from '../support/captures.ts';
import { KNOWN_TRAFFIC_DIFFERENCES, knows } from './known-traffic-differences.ts';
import { expectTrafficAgrees } from './traffic-agreement.ts';

const files = captureFiles();

test.skipIf(files.length === 0)(
  'connections, their bytes and messages of every capture agree with tshark, but for the known differences',
  async () => {
    const { differences } = await expectTrafficAgrees(CAPTURES, files);
    const stale = KNOWN_TRAFFIC_DIFFERENCES.filter(
      (known) =>
        files.some((file) => file.endsWith(`/${known.file}`)) &&
        !differences.some((difference) => knows(known, difference)),
    );
    expect(stale, 'listed as known, yet the same').toEqual([]);
  },
);
