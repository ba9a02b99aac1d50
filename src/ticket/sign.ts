import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { invalid } from '../wire/guard.ts';
import { encodeRecordingTicket, parseRecordingTicket, type RecordingTicket } from '../wire/recording-ticket.ts';
import { encodeTicket, parseTicket, TICKET_BYTES, type Ticket } from '../wire/ticket.ts';

/** Bytes of an Ed25519 signature (RFC 8032). */
const SIGNATURE_BYTES = 64;

/** What is signed begins with this, so that a signature of the same key for another purpose is none of a ticket. */
const CONTEXT = Buffer.from('ksnoop ticket v1\n', 'latin1');
const RECORDING_CONTEXT = Buffer.from('ksnoop recording ticket v1\n', 'latin1');

/** Keys in one file: the present one, and those before and after a change of keys. */
const KEYS_MAXIMUM = 8;

const PEM = /-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]{1,512}-----END PUBLIC KEY-----/g;

/**
 * A ticket with the controller's signature: 64 bytes of Ed25519 (RFC 8032) over a context string and the encoded ticket, then the encoded ticket.
 * @param key the controller's private key
 * @throws KsnoopError INVALID_MESSAGE for a ticket that is out of bounds
 */
export function signTicket(ticket: Ticket, key: KeyObject): Buffer {
  return signed(encodeTicket(ticket), CONTEXT, key);
}

/**
 * Verify and read a signed ticket. What the ticket allows, and until when, is for the caller to check.
 * @param keys the controller's public keys: one of them must have signed it
 * @throws KsnoopError INVALID_MESSAGE when none has, or when what is signed is no ticket
 */
export function verifyTicket(signed: Uint8Array, keys: readonly KeyObject[]): Ticket {
  return parseTicket(verified(signed, CONTEXT, keys));
}

/**
 * A ticket for recordings with the controller's signature, as signTicket makes it for streams. Neither can stand for the other.
 * @param key the controller's private key
 * @throws KsnoopError INVALID_MESSAGE for a ticket that is out of bounds
 */
export function signRecordingTicket(ticket: RecordingTicket, key: KeyObject): Buffer {
  return signed(encodeRecordingTicket(ticket), RECORDING_CONTEXT, key);
}

/**
 * Verify and read a signed ticket for recordings.
 * @param keys the controller's public keys: one of them must have signed it
 * @throws KsnoopError INVALID_MESSAGE when none has, or when what is signed is no such ticket
 */
export function verifyRecordingTicket(signed: Uint8Array, keys: readonly KeyObject[]): RecordingTicket {
  return parseRecordingTicket(verified(signed, RECORDING_CONTEXT, keys));
}

function signed(bytes: Uint8Array, context: Buffer, key: KeyObject): Buffer {
  return Buffer.concat([sign(null, Buffer.concat([context, bytes]), key), bytes]);
}

/** The bytes that were signed. */
function verified(signed: Uint8Array, context: Buffer, keys: readonly KeyObject[]): Uint8Array {
  if (signed.length <= SIGNATURE_BYTES || signed.length > SIGNATURE_BYTES + TICKET_BYTES) {
    throw invalid('signed ticket', `has ${signed.length} bytes`);
  }
  const signature = signed.subarray(0, SIGNATURE_BYTES);
  const bytes = signed.subarray(SIGNATURE_BYTES);
  const message = Buffer.concat([context, bytes]);
  if (!keys.some((key) => verify(null, message, key, signature))) {
    throw invalid('signed ticket', 'is not signed with a key that is known');
  }
  return bytes;
}

/**
 * The Ed25519 keys of a PEM file (SPKI, RFC 8410). Several may stand in it while keys are changed.
 * @returns none for a file without such keys; keys of other algorithms are left out
 */
export function readPublicKeys(pem: string): KeyObject[] {
  const blocks = pem.match(PEM) ?? [];
  return blocks.slice(0, KEYS_MAXIMUM).flatMap((block) => {
    try {
      const key = createPublicKey(block);
      return key.asymmetricKeyType === 'ed25519' ? [key] : [];
    } catch {
      return [];
    }
  });
}
