/** What Node's Buffer has for texts, which works on any Uint8Array and so spares an object for each text. */
interface Slices {
  latin1Slice(this: Uint8Array, start: number, end: number): string;
  utf8Slice(this: Uint8Array, start: number, end: number): string;
}

const { latin1Slice, utf8Slice } = Buffer.prototype as unknown as Slices;

/** Bytes as text, each byte one character: cheap, and nothing is lost. */
export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return end <= start ? '' : latin1Slice.call(bytes, start, end);
}

/** Bytes as UTF-8; invalid ones become U+FFFD. */
export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return end <= start ? '' : utf8Slice.call(bytes, start, end);
}
