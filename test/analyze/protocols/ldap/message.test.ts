import { test } from 'vitest';
import {
  isSealed,
  ldapBegins,
  ldapLength,
  ldapLikeness,
  readMessage,
} from '../../../../src/analyze/protocols/ldap/message.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, withNumber } from '../../../support/by-byte.ts';

/** An element of BER (X.690, section 8.1). */
function element(tag: number, ...parts: (Buffer | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const size = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
const message = (...operation: Buffer[]) => element(0x30, element(2, Buffer.of(7)), ...operation);
const controls = element(0xa0, element(0x30, element(4, '1.2.840.113556.1.4.319')));
const MESSAGES: readonly (readonly [string, Buffer])[] = [
  ...madeMessages('ldap', 1),
  ['bind', message(element(0x60, element(2, Buffer.of(3)), element(4, 'cn=shop'), element(0x80, 'secret')))],
  ['unbind', message(element(0x42))],
  ['abandon', message(element(0x50, Buffer.of(0, 5)))],
  ['delete', message(element(0x4a, 'cn=old,dc=shop'), controls)],
  ['extended', message(element(0x77, element(0x80, '1.3.6.1.4.1.1466.20037')))],
  ['result', message(element(0x65, element(0x0a, Buffer.of(0)), element(4), element(4)), controls)],
  ['entry', message(element(0x64, element(4, 'cn=a'), element(0x30)))],
  ['intermediate', message(element(0x79, element(0x80, '1.3')))],
  ['long', element(0x30, element(2, Buffer.of(1, 0)), element(0x66, element(4, 'x'.repeat(200)), element(0x30)))],
  ['sealed', Buffer.concat([Buffer.of(0, 0, 0, 40), Buffer.alloc(40, 9)])],
];

test('lengths of messages, what they hold, which side begins one, and whose they are', async () => {
  const lines = byReader(MESSAGES, {
    length: [(...at) => ldapLength(...at, false), 1, 8],
    'length where a layer may protect it': [(...at) => ldapLength(...at, true), 1, 4],
    sealed: [isSealed, 1, 1],
    message: [(bytes, start, end) => readMessage(bytes, start, end), 1, 12],
    'client begins': [(...at) => ldapBegins(SIDE.client, ...at), 1, 20],
    'server begins': [(...at) => ldapBegins(SIDE.server, ...at), 1, 20],
    likeness: [ldapLikeness, 1, 12],
  });
  const long = Buffer.concat([Buffer.of(0x30, 0x84, 0, 0, 0, 0), MESSAGES.at(-3)?.[1].subarray(2) ?? Buffer.alloc(0)]);
  const sealed = Buffer.alloc(44, 1);
  lines.push(
    byNumber('length in four bytes', (length) =>
      judged((...at) => ldapLength(...at, false), withNumber(long, 2, 4, length)),
    ),
    byNumber('length of one that begins', (length) =>
      judged((...at) => ldapBegins(SIDE.server, ...at), withNumber(long, 2, 4, length)),
    ),
    byNumber('length of what is protected', (length) =>
      judged((...at) => ldapLength(...at, true), withNumber(withNumber(sealed, 0, 1, 0), 1, 3, length)),
    ),
    byNumber(
      'operation of a client',
      (tag) => judged((...at) => ldapBegins(SIDE.client, ...at), message(element(tag & 255, element(4, 'a')))),
      TAGS,
    ),
    byNumber(
      'operation of a server',
      (tag) =>
        judged((...at) => ldapBegins(SIDE.server, ...at), message(element(tag & 255, element(10, Buffer.of(0))))),
      TAGS,
    ),
  );
  await expectLines('ldap', lines);
});

const TAGS = Array.from({ length: 256 }, (_, tag) => tag);
