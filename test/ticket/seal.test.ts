import { describe, expect, test } from 'vitest';
import { createClientKey, SEAL_BYTES, seal } from '../../src/ticket/seal.ts';

const INVALID = expect.objectContaining({ code: 'INVALID_MESSAGE' });
const MESSAGE = Buffer.from('what the controller allows');

describe('seal', () => {
  test('only the key that it was sealed for opens it', () => {
    const client = createClientKey();
    const sealed = seal(MESSAGE, client.public);
    expect(sealed).toHaveLength(MESSAGE.length + SEAL_BYTES);
    expect(client.open(sealed)).toEqual(MESSAGE);
    expect(() => createClientKey().open(sealed)).toThrow(INVALID);
  });

  test('the same message is never sealed the same way twice', () => {
    const client = createClientKey();
    expect(seal(MESSAGE, client.public)).not.toEqual(seal(MESSAGE, client.public));
  });

  test('no changed, added or missing byte opens', () => {
    const client = createClientKey();
    const sealed = seal(MESSAGE, client.public);
    for (let index = 0; index < sealed.length; index += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = Buffer.from(sealed);
        changed[index] = (changed[index] ?? 0) ^ (1 << bit);
        expect(() => client.open(changed), `byte ${index}, bit ${bit}`).toThrow(INVALID);
      }
      expect(() => client.open(sealed.subarray(0, index))).toThrow(INVALID);
    }
    expect(() => client.open(Buffer.concat([sealed, Buffer.of(0)]))).toThrow(INVALID);
  });

  test.each([
    ['nothing', ''],
    ['31 bytes', Buffer.alloc(31, 1).toString('base64')],
    ['no base64', 'not base64 at all'],
    ['base64url', Buffer.alloc(32, 0xff).toString('base64url')],
    ['a point of a small order', Buffer.alloc(32, 0).toString('base64')],
    ['another point of a small order', Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64')],
  ])('a client key that is %s is refused', (_, key) => {
    expect(() => seal(MESSAGE, key)).toThrow(INVALID);
  });

  test('a message whose ephemeral key is of a small order is refused', () => {
    const client = createClientKey();
    const sealed = Buffer.from(seal(MESSAGE, client.public));
    sealed.fill(0, 1, 33);
    expect(() => client.open(sealed)).toThrow(INVALID);
  });
});
