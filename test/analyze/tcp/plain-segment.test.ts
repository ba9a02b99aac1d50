import { expect, test } from 'vitest';
import { TCP } from '../../../src/analyze/tcp/flags.ts';
import { made, NAMES, SCENARIOS } from '../../oracle/loss/run.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { captureFrames } from '../../support/capture-file.ts';

const SEEDS = 6;
const ETHERNET = 14;
const IPV4 = 20;
const IP_PROTOCOL = 9;
const FLAGS = 13;

/** The same capture with URG in every TCP segment: no rule but takePlainSegment looks at it. */
function outOfOrdinary(file: Buffer): Buffer {
  const other = Buffer.from(file);
  for (const { bytes } of captureFrames(other) ?? []) {
    const flags = ETHERNET + IPV4 + FLAGS;
    if (bytes[ETHERNET + IP_PROTOCOL] === 6 && flags < bytes.length) bytes[flags] = (bytes[flags] as number) | TCP.urg;
  }
  return other;
}

test.each(NAMES)('%s: plain segments are taken as all others are, whatever is missing around them', (name) => {
  for (const scenario of SCENARIOS) {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const { file } = made(name, seed, scenario);
      const { events, flows } = analyseBytes(file);
      const other = analyseBytes(outOfOrdinary(file));
      expect(other.events, `${scenario}, seed ${seed}`).toEqual(events);
      expect(other.flows, `${scenario}, seed ${seed}`).toEqual(flows);
    }
  }
});
