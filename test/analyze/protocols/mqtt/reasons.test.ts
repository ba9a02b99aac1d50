import { expect, test } from 'vitest';
import { reasonText } from '../../../../src/analyze/protocols/mqtt/reasons.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

const FIELDS = ['auth', 'connack', 'disconnect', 'puback', 'pubcomp', 'pubrec', 'suback', 'unsuback'];

test('reason codes of MQTT 5 are those of Wireshark', () => {
  const theirs = tsharkValues(...FIELDS.map((message) => `mqtt.${message}.reason_code`));
  const named = (value: number) => (/^(ok|reason 0x.*)$/.test(reasonText(value)) ? undefined : reasonText(value));
  const known = { 158: 'shared subscriptions not supported', 162: 'wildcard subscriptions not supported' };
  expect(differences(named, theirs, known, 37)).toEqual([]);
});

test('what has no words is a success below 0x80, and a failure from there on', () => {
  expect([0x00, 0x7f, 0x80, 0xfe].map(reasonText)).toEqual(['ok', 'ok', 'unspecified error', 'reason 0xfe']);
});
