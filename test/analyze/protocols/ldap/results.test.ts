import { expect, test } from 'vitest';
import { resultName } from '../../../../src/analyze/protocols/ldap/results.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

test('names of result codes are those of Wireshark', () => {
  const named = (code: number) => (/\d/.test(resultName(code)) ? undefined : resultName(code));
  const known = { 8: 'strongerAuthRequired', 122: 'assertionFailed', 4096: 'e-syncRefreshRequired' };
  expect(differences(named, tsharkValues('ldap.resultCode'), known, 43)).toEqual([]);
});
