import { expect, test } from 'vitest';
import { NumberShapes } from '../../../src/analyze/record/number-shapes.ts';
import { Random } from '../../support/random.ts';

test('texts that differ in numbers between these characters alone have one shape', () => {
  const shapes = new NumberShapes<string>('/', '/?');
  expect(shapes.of('GET', '/items/10?n=1')).toBeUndefined();
  shapes.remember('first');
  expect(shapes.of('GET', '/items/99?n=1')).toBe('first');
  for (const other of ['/items/100?n=1', '/items/1?n=1', '/items/10?n=2', '/items/x0?n=1', '/items/10x', '/items/10']) {
    expect(shapes.of('GET', other), other).toBeUndefined();
  }
  expect(shapes.of('PUT', '/items/10?n=1')).toBeUndefined();
  expect(shapes.of('GET', '/items/10?n=1&x', 13)).toBe('first');
});

test('a text of the length of one that was found is not taken for it', () => {
  const shapes = new NumberShapes<string>('/', '/?');
  shapes.of('GET', '/a/10/b1');
  shapes.remember('first');
  // The second one is found by its length alone.
  for (const same of ['/a/10/b1', '/a/99/b1', '/a/00/b1']) expect(shapes.of('GET', same), same).toBe('first');
  for (const other of ['/a/1x/b1', '/a/10/b2', '/a/\x7f\x7f/b1', '/a/ä0/b1', '/a/1//b1', '/b/10/b1', 'xa/10/b1']) {
    expect(shapes.of('GET', other), other).toBeUndefined();
    expect(shapes.of('GET', '/a/11/b1')).toBe('first');
  }
  expect(shapes.of('PUT', '/a/10/b1')).toBeUndefined();
});

test('a text is not taken for a longer one that has the place of its shape by now', () => {
  const shapes = new NumberShapes<string>('/', '/');
  let replaced = 0;
  for (let count = 0; count < 5000; count += 1) {
    const known = shapes.of('', '/a/1');
    if (known === undefined) {
      shapes.remember('short');
      replaced += 1;
      expect(shapes.of('', '/a/2')).toBe('short');
    } else expect(known).toBe('short');
    const longer = `/a/1/x${count}`;
    if (shapes.of('', longer) === undefined) shapes.remember('longer');
  }
  expect(replaced).toBeGreaterThan(2);
});

test('long numbers, long texts and texts that are not ASCII are not taken for others', () => {
  const shapes = new NumberShapes<number>('/', '/');
  const texts = [`/${'1'.repeat(17)}`, `/${'2'.repeat(17)}`, `/${'x'.repeat(128)}`, '/ä/1', '/\x7f/1', ''];
  for (const [index, text] of texts.entries()) {
    expect(shapes.of('', text), text).toBeUndefined();
    shapes.remember(index);
  }
  expect(shapes.of('', `/${'1'.repeat(17)}`)).toBe(0);
  expect(shapes.of('', `/${'2'.repeat(17)}`)).toBe(1);
  for (const text of texts.slice(2)) expect(shapes.of('', text)).toBeUndefined();
});

test('with more shapes than places each text has its own value or none', () => {
  const shapes = new NumberShapes<string>('/', '/');
  const random = new Random(3);
  let found = 0;
  for (let count = 0; count < 50_000; count += 1) {
    const word = `a${random.below(2000)}`;
    const text = `/${word}/${random.below(1000) + 1000}/x`;
    const known = shapes.of('', text);
    if (known === undefined) shapes.remember(word);
    else {
      found += 1;
      expect(known).toBe(word);
    }
  }
  expect(found).toBeGreaterThan(5000);
});
