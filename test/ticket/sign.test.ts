import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  readPublicKeys,
  signRecordingTicket,
  signTicket,
  verifyRecordingTicket,
  verifyTicket,
} from '../../src/ticket/sign.ts';
import { TICKET_BYTES } from '../../src/wire/ticket.ts';
import { madeFetchTicket, madeTicket, signingKey } from './made-ticket.ts';

const INVALID = expect.objectContaining({ code: 'INVALID_MESSAGE' });

describe('signTicket and verifyTicket', () => {
  test('a signed ticket is read with the public key, also among others', () => {
    const key = signingKey();
    const ticket = madeTicket();
    const signed = signTicket(ticket, key.privateKey);
    expect(verifyTicket(signed, [signingKey().publicKey, key.publicKey])).toEqual(ticket);
    expect(() => verifyTicket(signed, [signingKey().publicKey])).toThrow(INVALID);
    expect(() => verifyTicket(signed, [])).toThrow(INVALID);
  });

  test('no changed, added or missing byte verifies', () => {
    const key = signingKey();
    const signed = signTicket(madeTicket(), key.privateKey);
    for (let index = 0; index < signed.length; index += 1) {
      const changed = Buffer.from(signed);
      changed[index] = (changed[index] ?? 0) ^ (1 << (index % 8));
      expect(() => verifyTicket(changed, [key.publicKey]), `byte ${index}`).toThrow(INVALID);
    }
    for (const length of [0, 1, 63, 64, 65, signed.length - 1]) {
      expect(() => verifyTicket(signed.subarray(0, length), [key.publicKey])).toThrow(INVALID);
    }
    expect(() => verifyTicket(Buffer.concat([signed, Buffer.of(0)]), [key.publicKey])).toThrow(INVALID);
    expect(() => verifyTicket(Buffer.alloc(TICKET_BYTES + 65), [key.publicKey])).toThrow(INVALID);
  });
});

test('neither a ticket of a stream nor one of a recording stands for the other', () => {
  const key = signingKey();
  const ticket = madeFetchTicket();
  const signed = signRecordingTicket(ticket, key.privateKey);
  expect(verifyRecordingTicket(signed, [key.publicKey])).toEqual(ticket);
  expect(() => verifyTicket(signed, [key.publicKey])).toThrow(INVALID);
  const stream = signTicket(madeTicket(), key.privateKey);
  expect(() => verifyRecordingTicket(stream, [key.publicKey])).toThrow(INVALID);
});

describe('readPublicKeys', () => {
  test('reads the Ed25519 keys of a file, and leaves others out', () => {
    const first = signingKey();
    const second = signingKey();
    const other = generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const keys = readPublicKeys(`comment\n${first.pem}${other}${second.pem}`);
    expect(keys.map((key) => key.export({ type: 'spki', format: 'pem' }))).toEqual([first.pem, second.pem]);
    const secret = first.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(readPublicKeys(secret)).toEqual([]);
    expect(readPublicKeys('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')).toEqual([]);
    expect(readPublicKeys(first.pem.repeat(20))).toHaveLength(8);
  });
});
