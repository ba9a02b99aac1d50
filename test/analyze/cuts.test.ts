import { expect, test } from 'vitest';
import { captureFiles } from '../support/captures.ts';
import { Random } from '../support/random.ts';
import { cutAll, SNAPLENS } from './cuts.ts';

const SEED = 20_260_704;
/** One snaplen and one cut of every file's beginning: all of them are in the fuzz project. */
const BYTES = 16 * 1024;

test.skipIf(captureFiles().length === 0)(
  'every capture is read with a snaplen and cut anywhere: whole packets are counted, layers before the cut are found',
  async () => {
    const { files, cuts, packets } = await cutAll(
      { bytes: BYTES, snaplens: (random) => [SNAPLENS[random.below(SNAPLENS.length)] ?? 34], truncations: 1 },
      new Random(SEED),
    );
    console.log(`${files} files, ${cuts} cuts, ${packets} packets`);
    expect(cuts).toBeGreaterThan(files);
  },
  120_000,
);
