import { expect, test } from 'vitest';
import { CompressionChoice } from '../../../src/agent/listener/compression-choice.ts';

/** A stream of 100 ms steps whose rate depends on whether it is compressed. @returns which steps were */
function play(rates: { plain: number; compressed: number }, full = true, steps = 40): boolean[] {
  const choice = new CompressionChoice('auto');
  return Array.from({ length: steps }, (_, step) => {
    const compressed = choice.compress(step * 100, full);
    choice.acknowledged(compressed ? rates.compressed : rates.plain);
    return compressed;
  });
}

test('a way that is not full is never compressed', () => {
  expect(play({ plain: 1, compressed: 10 }, false)).not.toContain(true);
});

test('where compression carries more it stays, after both were measured', () => {
  const steps = play({ plain: 100, compressed: 300 });
  expect(steps.slice(0, 4)).not.toContain(true);
  expect(steps.slice(10)).not.toContain(false);
});

test('where it carries less, because the processor or the ratio is poor, it is tried and left', () => {
  const steps = play({ plain: 100, compressed: 90 });
  expect(steps).toContain(true);
  expect(steps.slice(10)).not.toContain(true);
});

test('it is measured anew after a while', () => {
  const steps = play({ plain: 100, compressed: 90 }, true, 200);
  expect(steps.slice(100)).toContain(true);
});

test('always and never are what they say', () => {
  expect(new CompressionChoice('on').compress(0, false)).toBe(true);
  expect(new CompressionChoice('off').compress(0, true)).toBe(false);
});
