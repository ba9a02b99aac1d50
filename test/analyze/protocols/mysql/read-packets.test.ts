import { expect, test } from 'vitest';
import {
  changedUser,
  errorOf,
  LengthEncoded,
  loginOf,
  okFacts,
  zeroEnded,
} from '../../../../src/analyze/protocols/mysql/packets.ts';
import { byReader, expectLines } from '../../../support/by-byte.ts';
import { error, login, ok } from './packets.ts';

/** A length-encoded integer in each of its forms ("Protocol::LengthEncodedInteger"). */
function encoded(value: number): Buffer {
  const size = value < 0xfb ? 0 : value < 2 ** 16 ? 2 : value < 2 ** 24 ? 3 : 8;
  if (size === 0) return Buffer.of(value);
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = size === 2 ? 0xfc : size === 3 ? 0xfd : 0xfe;
  if (size === 8) bytes.writeBigUInt64LE(BigInt(value), 1);
  else bytes.writeUIntLE(value, 1, size);
  return bytes;
}

test('length-encoded integers of every form, cut anywhere', () => {
  const number = new LengthEncoded();
  for (const value of [0, 1, 0xfa, 0xfb, 0xffff, 0x1_0000, 0xff_ffff, 0x100_0000, 2 ** 40 + 5, 2 ** 52]) {
    const bytes = Buffer.concat([Buffer.of(9, 9), encoded(value), Buffer.of(9, 9)]);
    const end = bytes.length - 2;
    for (let cut = 2; cut < end; cut += 1) expect(number.read(bytes, 2, cut)).toBe(false);
    expect([number.read(bytes, 2, end), number.value, number.end]).toEqual([true, value, end]);
  }
  for (const first of [0xfb, 0xff]) expect(number.read(Buffer.alloc(20, first), 0, 20)).toBe(false);
});

const CONNECT_WITH_DATABASE = 0x8;
const LENGTH_ENCODED_AUTHENTICATION = 0x20_0000;
const payload = (packet: Buffer) => packet.subarray(4);
/** A login whose proof has no length (before 4.1 it ended with a zero byte). */
function oldLogin(capabilities: number): Buffer {
  const fixed = Buffer.alloc(32);
  fixed.writeUInt32LE(capabilities, 0);
  return Buffer.concat([fixed, Buffer.from('shop\0proof\0orders\0')]);
}

test('what OK, EOF and ERR packets and logins hold, cut anywhere and with any byte changed', async () => {
  const status = (low: number) => Buffer.from([0xfe, 0, 0, low, 0]);
  const withDatabase = login(CONNECT_WITH_DATABASE);
  const user = Buffer.from('shop\0\x05proof' + 'orders\0utf8\0', 'latin1');
  const lines = [
    ...[
      ['OK', payload(ok(1, 3))] as const,
      [
        'OK of many rows',
        Buffer.concat([Buffer.of(0), encoded(70_000), encoded(300), Buffer.of(0x42, 0, 1, 0)]),
      ] as const,
      ['EOF', status(2)] as const,
      ['EOF of a cursor', status(0x40)] as const,
      ['EOF, more follows', status(8)] as const,
    ].flatMap(([name, bytes]) =>
      byReader([[name, bytes]], { facts: [(...at) => okFacts(...at, bytes.length), 1, 12] }),
    ),
    ...byReader(
      [
        ['error', payload(error(1, 1064, 'near FROM'))],
        ['error without a state', Buffer.from('\xff\x10\x04Too many', 'latin1')],
      ],
      { error: [errorOf, 1, 12], text: [zeroEnded, 1, 3] },
    ),
    ...byReader([['change of a user', user]], { user: [changedUser, 1, 14], text: [zeroEnded, 1, 8] }),
    ...byReader(
      [
        ['login', payload(login(0))],
        ['login with a database', Buffer.concat([payload(withDatabase), Buffer.from('orders\0')])],
        [
          'login with a long proof',
          Buffer.concat([
            payload(login(CONNECT_WITH_DATABASE | LENGTH_ENCODED_AUTHENTICATION)),
            Buffer.from('orders\0'),
          ]),
        ],
        ['login with an old proof', oldLogin(0x208)],
        ['login of before 4.1', oldLogin(0x8)],
      ],
      { login: [loginOf, 1, 48] },
    ),
  ];
  await expectLines('mysql-packets', lines);
});
