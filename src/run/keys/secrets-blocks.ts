import { tlsSecretsBlock } from '../../wire/decryption-secrets.ts';

/** Characters of lines in one block. */
const BLOCK_CHARACTERS = 256 * 1024;

/** Decryption Secrets Blocks with these lines of a key log. */
export function secretsBlocks(lines: Iterable<string>): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length < BLOCK_CHARACTERS) continue;
    blocks.push(tlsSecretsBlock(text));
    text = '';
  }
  if (text !== '') blocks.push(tlsSecretsBlock(text));
  return blocks;
}
