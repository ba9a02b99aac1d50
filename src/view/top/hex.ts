import { type Line, LOOK, line, span } from './line.ts';

const PER_LINE = 16;

/** Octets as `hexdump -C` shows them: where, sixteen of them, and what of it is printable ASCII. */
export function hexLine(bytes: Uint8Array, at: number): Line {
  const part = bytes.subarray(at, at + PER_LINE);
  const hex = Array.from(part, (octet) => octet.toString(16).padStart(2, '0'));
  const text = Array.from(part, (octet) => (octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : '.')).join('');
  const halves = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`;
  return line(
    span(`  ${at.toString(16).padStart(4, '0')}  `, LOOK.aside),
    span(halves.padEnd(PER_LINE * 3 + 2)),
    span(text, LOOK.name),
  );
}

/** How many lines octets take. */
export function hexHeight(bytes: Uint8Array): number {
  return Math.ceil(bytes.length / PER_LINE);
}

export function hexOffset(row: number): number {
  return row * PER_LINE;
}
