import { describe, expect, it } from 'vitest';
import { captureFiles } from '../support/captures.ts';
import { expectAgreement } from './comparison-table.ts';
import { KNOWN_DIFFERENCES } from './known-differences.ts';

const files = captureFiles();

describe('layers of every capture against tshark', () => {
  it.skipIf(files.length === 0)('agree frame by frame, but for the known differences', async () => {
    const comparisons = await expectAgreement(files);
    const seen = new Set(
      comparisons.flatMap(({ file, differences }) => differences.map(({ frame }) => `${file} ${frame}`)),
    );
    const stale = KNOWN_DIFFERENCES.flatMap(({ file, frames }) => frames.map((frame) => `${file} ${frame}`)).filter(
      (known) => !seen.has(known),
    );
    expect(stale, 'listed as known, yet the same').toEqual([]);
  });
});
