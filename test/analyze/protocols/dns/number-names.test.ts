import { expect, test } from 'vitest';
import { rcodeName, typeName } from '../../../../src/analyze/protocols/dns/numbers.ts';
import { differences, tsharkValues } from '../../../support/tshark-values.ts';

/** IANA's "Domain Name System (DNS) Parameters": Wireshark 4.0 has no name, or words, for these. */
const NEWER = {
  53: 'SMIMEA',
  56: 'NINFO',
  66: 'DSYNC',
  128: 'NXNAME',
  255: 'ANY',
  258: 'AVC',
  259: 'DOA',
  260: 'AMTRELAY',
  261: 'RESINFO',
  262: 'WALLET',
  263: 'CLA',
  264: 'IPN',
};

/** Wireshark has words for codes, and no mnemonics (RFC 6895, section 2.3). */
const MNEMONICS = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  6: 'YXDOMAIN',
  7: 'YXRRSET',
  8: 'NXRRSET',
  10: 'NOTZONE',
  11: 'DSOTYPENI',
  16: 'BADVERS',
  17: 'BADKEY',
  18: 'BADTIME',
  19: 'BADMODE',
  20: 'BADNAME',
  21: 'BADALG',
  23: 'BADCOOKIE',
};

test('names of types are those of Wireshark', () => {
  const named = (type: number) => (/^TYPE\d/.test(typeName(type)) ? undefined : typeName(type));
  expect(differences(named, tsharkValues('dns.qry.type'), NEWER, 95)).toEqual([]);
});

test('names of response codes', () => {
  const named = (code: number) => (/^RCODE/.test(rcodeName(code)) ? undefined : rcodeName(code));
  expect(differences(named, tsharkValues('dns.flags.rcode'), MNEMONICS, 20)).toEqual([]);
});
