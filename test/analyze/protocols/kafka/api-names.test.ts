import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { APIS } from '../../../../src/analyze/protocols/kafka/apis.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

test('names of APIs are those of Wireshark, as far as it knows them', () => {
  const theirs = tsharkValues('kafka.api_key');
  const named = (key: number) => (theirs.has(key) ? APIS[key]?.name : undefined);
  expect(differences(named, theirs, { 2: 'ListOffsets' }, 48)).toEqual([]);
});

test('no API is flexible only after its newest version', () => {
  const late = APIS.filter(({ newest, flexible }) => flexible !== Number.POSITIVE_INFINITY && flexible > newest);
  expect(late).toEqual([]);
});

/** Versions that franz-go's kmsg 1.15 knows and Kafka 4.1 does not have yet; of 22 it does not know the newest. */
const OTHER_NEWEST = new Set([2, 18, 22, 27, 28, 35, 42, 63, 78, 79, 80, 85, 87, 88, 89, 90]);

test('newest versions, and those from which an API is flexible, are those of another implementation', () => {
  const lines = readFileSync(join(import.meta.dirname, 'apis.tsv'), 'utf8')
    .trimEnd()
    .split('\n');
  const theirs = new Map(
    lines.map((line) => line.split('\t').map(Number)).map(([key, ...versions]) => [key, versions]),
  );
  for (const [key, { newest, flexible }] of APIS.entries()) {
    const [most, first = 0] = theirs.get(key) ?? [];
    expect([key, flexible]).toEqual([key, first < 0 ? Number.POSITIVE_INFINITY : first]);
    if (!OTHER_NEWEST.has(key)) expect([key, newest]).toEqual([key, most]);
  }
});
