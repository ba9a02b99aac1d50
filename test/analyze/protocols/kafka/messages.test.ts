import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { APIS } from '../../../../src/analyze/protocols/kafka/apis.ts';
import { REQUESTS, RESPONSES } from '../../../../src/analyze/protocols/kafka/schemas.ts';
import { Walker } from '../../../../src/analyze/protocols/kafka/walker.ts';

const words = (text: string) => (text === '' ? [] : text.split(','));

/** Messages of all versions as another implementation encodes them, and what they contain: messages.go makes them. */
const MESSAGES = readFileSync(join(import.meta.dirname, 'messages.tsv'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [key = '', direction = '', version = '', flexible, error, topics = '', groups = '', ...more] =
      line.split('\t');
    const [mechanism = '', acks = '', body = ''] = more;
    return {
      ...{ key: Number(key), isRequest: direction === 'request', version: Number(version) },
      ...{ isFlexible: flexible === 'true', error: Number(error), topics: words(topics), groups: words(groups) },
      ...{ mechanism, acks: Number(acks) },
      body: Buffer.from(body, 'base64'),
    };
  });

const walker = new Walker();

test.each(MESSAGES)('API $key, version $version: request $isRequest', (message) => {
  const { key, isRequest, version, isFlexible, body, groups, ...expected } = message;
  const parts = (isRequest ? REQUESTS : RESPONSES).get(key);
  expect(version >= (APIS[key]?.flexible ?? 0)).toBe(isFlexible);
  if (parts === undefined) return;
  const whole = walker.walk(parts, version, isFlexible, body, 0, body.length, new Map(), false, true);
  const { error, topics, group, mechanism, acks } = walker;
  expect({ whole, error, topics, group, mechanism, acks }).toMatchObject({
    ...expected,
    whole: true,
    group: groups[0] ?? '',
  });
});

test('only of these messages nothing is read', () => {
  const unread = (isRequest: boolean) => {
    const table = isRequest ? REQUESTS : RESPONSES;
    const keys = MESSAGES.filter((message) => message.isRequest === isRequest && table.get(message.key) === undefined);
    return [...new Set(keys.map(({ key }) => key))];
  };
  expect(unread(true)).toEqual([16, 18, 22, 24, 25, 26, 32, 36, 60, 63, 71, 72]);
  expect(unread(false)).toEqual([69, 77]);
});
