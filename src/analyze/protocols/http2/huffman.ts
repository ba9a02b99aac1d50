import { latin1 } from '../../record/text.ts';

/**
 * Bits of each byte's code and of the end's (RFC 7541, appendix B), in base 36. The code is canonical: within a length
 * codes count up with the bytes, so the lengths determine them.
 */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u';

const END = 256;

/** The codes as a tree, made when the first text comes: two words a node, positive for another node, negative for the byte -(word + 1). */
let madeTree: Int16Array | undefined;

function tree(): Int16Array {
  const lengths = [...LENGTHS].map((digit) => Number.parseInt(digit, 36));
  const symbols = lengths.map((_, symbol) => symbol).sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const nodes = new Int16Array(4 * symbols.length);
  let count = 1;
  let code = 0;
  let before = lengths[symbols[0] ?? 0] ?? 0;
  for (const symbol of symbols) {
    const length = lengths[symbol] ?? 0;
    code *= 2 ** (length - before);
    before = length;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const branch = 2 * node + (Math.floor(code / 2 ** bit) & 1);
      if (nodes[branch] === 0) {
        nodes[branch] = count;
        count += 1;
      }
      node = nodes[branch] as number;
    }
    nodes[2 * node + (code & 1)] = -symbol - 1;
    code += 1;
  }
  return nodes;
}

/** Bytes of the text last decoded. */
let decoded = new Uint8Array(256);

/** Decode a Huffman-coded string. @returns the text, or undefined when it is invalid (RFC 7541, section 5.2) */
export function huffmanText(bytes: Uint8Array, start: number, end: number): string | undefined {
  const most = Math.ceil(((end - start) * 8) / 5);
  if (most > decoded.length) decoded = new Uint8Array(most * 2);
  madeTree ??= tree();
  const nodes = madeTree;
  let node = 0;
  let length = 0;
  let depth = 0;
  let ones = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] as number;
    for (let bit = 7; bit >= 0; bit -= 1) {
      const one = (byte >> bit) & 1;
      ones &&= one === 1;
      depth += 1;
      const next = nodes[2 * node + one] as number;
      if (next > 0) {
        node = next;
        continue;
      }
      if (next === 0 || -next - 1 === END) return undefined;
      decoded[length] = -next - 1;
      length += 1;
      node = 0;
      depth = 0;
      ones = true;
    }
  }
  // What is left must be the beginning of the end's code: fewer than eight ones.
  return depth < 8 && ones ? latin1(decoded, 0, length) : undefined;
}
