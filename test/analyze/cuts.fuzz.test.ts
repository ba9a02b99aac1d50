import { expect, test } from 'vitest';
import { captureFiles } from '../support/captures.ts';
import { Random } from '../support/random.ts';
import { cutAll, SNAPLENS } from './cuts.ts';

const SEED = 20_260_704;
const BYTES = 2 * 1024 * 1024;
const TRUNCATIONS = 8;

test.skipIf(captureFiles().length === 0)(
  `every capture is read with ${SNAPLENS.length} snaplens and cut anywhere ${TRUNCATIONS} times`,
  async () => {
    const { files, cuts, packets } = await cutAll(
      { bytes: BYTES, snaplens: () => SNAPLENS, truncations: TRUNCATIONS },
      new Random(SEED),
    );
    console.log(`${files} files, ${cuts} cuts, ${packets} packets`);
    expect(cuts).toBeGreaterThan(TRUNCATIONS * files);
  },
);
