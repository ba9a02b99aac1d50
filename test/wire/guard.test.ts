import { expect, test } from 'vitest';
import * as guard from '../../src/wire/guard.ts';

/** Everything JSON can be. */
const VALUES: readonly unknown[] = [null, true, 0, -1.5, '', 'text', [], [1], {}, { a: 1 }];

test('what is optional is its type or absent, whatever comes', () => {
  for (const value of [...VALUES, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
    const parent = { key: value };
    const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
    expect(guard.isObject(value)).toBe(plain);
    expect(guard.objectAt(parent, 'key')).toEqual(plain ? value : {});
    expect(guard.arrayAt(parent, 'key')).toEqual(Array.isArray(value) ? value : []);
    expect(guard.optionalString(parent, 'key')).toBe(typeof value === 'string' ? value : undefined);
    expect(guard.optionalNumber(parent, 'key')).toBe(Number.isFinite(value) ? value : undefined);
  }
});

test('of lists and labels the right members are taken, the others are left', () => {
  const parent = { key: VALUES, labels: { app: 'web', bad: 1, none: null } };
  expect(guard.objectsAt(parent, 'key')).toEqual([{}, { a: 1 }]);
  expect(guard.stringsAt(parent, 'labels')).toEqual({ app: 'web' });
});

test('what is required is given, or an error names the message and the member', () => {
  const refused = (call: () => unknown, ...words: string[]) => {
    for (const word of words) {
      expect(call).toThrow(
        expect.objectContaining({ code: 'INVALID_MESSAGE', message: expect.stringContaining(word) }),
      );
    }
  };
  for (const value of VALUES) {
    if (!guard.isObject(value)) refused(() => guard.requireObject(value, 'Pod shop/web'), 'The Pod shop/web is not');
    if (value !== 'text') refused(() => guard.requireString({ key: value }, 'key', 'hello'), 'hello', 'key', '4096');
    if (value !== 0)
      refused(
        () => guard.requireInteger({ key: value }, 'key', 'hello', { minimum: 0, maximum: 9 }),
        'key',
        'from 0 to 9',
      );
  }
  expect(guard.requireString({ key: 'x'.repeat(5) }, 'key', 'hello', 5)).toBe('xxxxx');
  refused(() => guard.requireString({ key: 'x'.repeat(6) }, 'key', 'hello', 5), '1 to 5 characters');
  for (const [value, fits] of [
    [0, false],
    [1, true],
    [9, true],
    [10, false],
    [1.5, false],
    [2 ** 60, false],
  ] as const) {
    const call = () => guard.requireInteger({ key: value }, 'key', 'hello', { minimum: 1, maximum: 9 });
    if (fits) expect(call()).toBe(value);
    else refused(call, 'key');
  }
});

test('members of the prototype are not members of the message', () => {
  expect(() => guard.requireString({}, 'toString', 'hello')).toThrow(/usable toString/);
  expect(guard.objectAt(guard.requireObject(guard.parseJson('{"__proto__":{"a":"b"}}', 'x'), 'x'), 'a')).toEqual({});
});

test('what is no JSON is an error that keeps its cause', () => {
  expect(() => guard.parseJson('{', "agent's event")).toThrow(
    expect.objectContaining({
      code: 'INVALID_MESSAGE',
      message: "The agent's event is not JSON.",
      cause: expect.any(SyntaxError),
    }),
  );
});
