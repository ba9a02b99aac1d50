import { expect, test, vi } from 'vitest';
import { LoneNode } from '../../../src/capture/streams/lone-node.ts';

/** Agents that are told that another node joins. */
function told() {
  const answer = Promise.withResolvers<void>();
  const tell = vi.fn(() => [answer.promise]);
  return { tell, answer: answer.resolve };
}

test('who joins waits for the answer of the agent that was alone; later ones find it given', async () => {
  const lone = new LoneNode(['a']);
  const { tell, answer } = told();
  expect(lone.join('a', tell)).toBeUndefined();
  expect(lone.isAlone).toBe(true);
  const waits = [lone.join('b', tell), lone.join('c', tell), lone.join('a', tell)];
  expect(lone.isAlone).toBe(false);
  expect(tell).toHaveBeenCalledTimes(1);
  const over = vi.fn();
  for (const wait of waits) void wait?.then(over);
  await new Promise(setImmediate);
  expect(over).not.toHaveBeenCalled();
  answer();
  await Promise.all(waits);
  await lone.join('d', tell);
  expect(over).toHaveBeenCalledTimes(3);
  expect(tell).toHaveBeenCalledTimes(1);
});

test('nobody waits where none was alone, or none is told', () => {
  const { tell } = told();
  const several = new LoneNode(['a', 'b']);
  expect(several.isAlone).toBe(false);
  expect(several.join('c', tell)).toBeUndefined();
  const first = new LoneNode([]);
  expect(first.join('a', tell)).toBeUndefined();
  expect(first.isAlone).toBe(true);
  expect(tell).not.toHaveBeenCalled();
  expect(first.join('b', () => [])).toBeUndefined();
  expect(first.isAlone).toBe(false);
});

test('an agent that does not answer is not waited for without end', async () => {
  const lone = new LoneNode(['a'], 10);
  await lone.join('b', told().tell);
  expect(lone.isAlone).toBe(false);
});
