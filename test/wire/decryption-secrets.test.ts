import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { bigEndianSecrets, tlsSecretsBlock } from '../../src/wire/decryption-secrets.ts';

const LINES = 'CLIENT_RANDOM aa bb\n';

/** Secrets that are read of a section with this block. */
function secretsOf(block: Uint8Array, big: boolean): string[] {
  const read: string[] = [];
  const framer = new CaptureFramer({
    interface: () => {},
    packet: () => {},
    secrets: (lines) => void read.push(lines),
  });
  const header = Buffer.from(
    '0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c'.replaceAll(' ', ''),
    'hex',
  );
  if (!big) {
    for (const at of [4, 8, 24]) header.subarray(at, at + 4).swap32();
    header.subarray(12, 16).swap16();
  }
  framer.push(header);
  framer.push(block);
  return read;
}

test('secrets are read back in both byte orders', () => {
  const block = tlsSecretsBlock(LINES);
  expect(secretsOf(block, false)).toEqual([LINES]);
  expect(secretsOf(bigEndianSecrets(block), true)).toEqual([LINES]);
});

test('of a block without room for what it claims nothing is read', () => {
  const claiming = (bytes: number) => {
    const block = Buffer.from(tlsSecretsBlock('abcd'));
    block.writeUInt32LE(bytes, 12);
    return secretsOf(block, false);
  };
  expect(claiming(4)).toEqual(['abcd']);
  expect(claiming(5)).toEqual([]);
  expect(claiming(0xffff_ffff)).toEqual([]);
});
