import { expect, test } from 'vitest';
import { alertName } from '../../../../src/analyze/protocols/tls/alerts.ts';
import { cipherSuiteName } from '../../../../src/analyze/protocols/tls/cipher-suites.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

test('names of alerts are those of Wireshark', () => {
  const named = (value: number) => (alertName(value) === `alert ${value}` ? undefined : alertName(value));
  expect(differences(named, tsharkValues('tls.alert_message.desc'), {}, 35)).toEqual([]);
});

test('names of cipher suites are those of Wireshark', () => {
  const named = (value: number) => (/0x/.test(cipherSuiteName(value)) ? undefined : cipherSuiteName(value));
  expect(differences(named, tsharkValues('tls.handshake.ciphersuite'), {}, 381)).toEqual([]);
});
