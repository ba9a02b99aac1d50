import { expect, test } from 'vitest';
import { APIS } from '../../../../src/analyze/protocols/kafka/apis.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

test('names of APIs are those of Wireshark, as far as it knows them', () => {
  const theirs = tsharkValues('kafka.api_key');
  const named = (key: number) => (theirs.has(key) ? APIS[key]?.name : undefined);
  expect(differences(named, theirs, { 2: 'ListOffsets' })).toEqual([]);
});

test('no API is flexible only after its newest version', () => {
  const late = APIS.filter(({ newest, flexible }) => flexible !== Number.POSITIVE_INFINITY && flexible > newest);
  expect(late).toEqual([]);
});
