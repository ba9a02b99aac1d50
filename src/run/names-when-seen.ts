import { ipHeaderAt } from '../wire/ip-header.ts';
import { EPB_HEADER_BYTES } from '../wire/pcapng.ts';
import { addressBytes, type NamedAddress } from '../wire/pcapng-write.ts';

/** Names that are of use once their address occurs in a packet: each is given out then, once. */
export class NamesWhenSeen {
  readonly #four = new Map<number, NamedAddress>();
  readonly #six = new Map<string, NamedAddress>();
  /** The last IPv4 addresses looked up: most packets belong to a conversation that continues. */
  #source = -1;
  #destination = -1;

  add(named: NamedAddress): void {
    const bytes = addressBytes(named.address);
    if (bytes.length === 4) this.#four.set(bytes.readUInt32BE(), named);
    else this.#six.set(bytes.toString('latin1'), named);
    this.#source = -1;
    this.#destination = -1;
  }

  /** These names are known from elsewhere: they no longer wait. */
  delete(address: string): void {
    if (this.#four.size + this.#six.size === 0) return;
    const bytes = addressBytes(address);
    if (bytes.length === 4) this.#four.delete(bytes.readUInt32BE());
    else this.#six.delete(bytes.toString('latin1'));
  }

  /**
   * The names of a packet's two addresses, as far as they wait.
   * @param offset of its Enhanced Packet Block, in this machine's byte order
   */
  take(linkType: number, bytes: Uint8Array, offset: number): readonly NamedAddress[] {
    if (this.#four.size + this.#six.size === 0) return NOBODY;
    const packet = offset + EPB_HEADER_BYTES;
    const caplen =
      (bytes[offset + 20] as number) | ((bytes[offset + 21] as number) << 8) | ((bytes[offset + 22] as number) << 16);
    const header = ipHeaderAt(linkType, bytes, packet, Math.min(caplen, bytes.length - packet));
    if (header < 0) return NOBODY;
    const at = packet + header;
    return (bytes[at] as number) >> 4 === 4 ? this.#takeFour(bytes, at + 12) : this.#takeSix(bytes, at + 8);
  }

  #takeFour(bytes: Uint8Array, at: number): readonly NamedAddress[] {
    const source = number(bytes, at);
    const destination = number(bytes, at + 4);
    if (source === this.#source && destination === this.#destination) return NOBODY;
    this.#source = source;
    this.#destination = destination;
    return taken(this.#four, source, destination);
  }

  #takeSix(bytes: Uint8Array, at: number): readonly NamedAddress[] {
    if (this.#six.size === 0) return NOBODY;
    const text = (from: number) => String.fromCharCode(...bytes.subarray(from, from + 16));
    return taken(this.#six, text(at), text(at + 16));
  }
}

const NOBODY: readonly NamedAddress[] = [];

function taken<Key>(waiting: Map<Key, NamedAddress>, ...keys: readonly Key[]): readonly NamedAddress[] {
  let found: NamedAddress[] | undefined;
  for (const key of keys) {
    const named = waiting.get(key);
    if (named === undefined) continue;
    waiting.delete(key);
    found ??= [];
    found.push(named);
  }
  return found ?? NOBODY;
}

function number(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}
