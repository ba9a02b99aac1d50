import { addressText } from '../../wire/address-text.ts';
import { u8 } from '../bytes.ts';
import { HOSTS_MAXIMUM } from '../limits.ts';
import { Clusters } from './clusters.ts';

const MINIMUM_SLOTS = 1024;
/** Bytes an address takes in the table: IPv6's. */
const WIDTH = 16;

/**
 * Every address met, as a small number: addresses are compared as numbers, because that happens for every packet. One address in
 * two clusters has two numbers.
 */
export class Hosts {
  /** Addresses known. */
  count = 0;
  /** Addresses beyond HOSTS_MAXIMUM, which all go by one number. */
  overflowed = 0;
  readonly clusters = new Clusters();
  /** The number of the cluster whose addresses `number` is asked for: that of the packet at hand. */
  cluster = 0;
  #addresses = new Uint8Array(MINIMUM_SLOTS * WIDTH);
  #lengths = new Uint8Array(MINIMUM_SLOTS);
  /** By host: its cluster. */
  #clusters = new Uint16Array(MINIMUM_SLOTS);
  /** Open addressing: number + 1, 0 for free. */
  #slots = new Int32Array(MINIMUM_SLOTS * 2);
  readonly #texts: (string | undefined)[] = [];
  #overflow = -1;

  /** The number of the address of `length` bytes (4 or 16) at `at`. */
  number(bytes: Uint8Array, at: number, length: number): number {
    let hash = length ^ (this.cluster << 8);
    for (let index = 0; index < length; index += 1) hash = Math.imul(hash ^ u8(bytes, at + index), 0x01000193);
    hash ^= hash >>> 15;
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = (this.#slots[slot] as number) - 1;
      if (found < 0) return this.#add(slot, bytes, at, length);
      if (this.#is(found, bytes, at, length)) return found;
    }
  }

  /** RFC 5952 text; `other hosts` for what is beyond the bound. */
  text(host: number): string {
    if (host === this.#overflow) return 'other hosts';
    let text = this.#texts[host];
    if (text === undefined) {
      text = addressText(this.#addresses, host * WIDTH, this.#lengths[host] ?? 0);
      this.#texts[host] = text;
    }
    return text;
  }

  /** The address as people are shown it: with its cluster where it is of a named one. */
  label(host: number): string {
    const cluster = this.clusterOf(host);
    return cluster === undefined ? this.text(host) : `${cluster}/${this.text(host)}`;
  }

  /** The number of a host's cluster; 0 where it is of no named one. */
  clusterNumber(host: number): number {
    return this.#clusters[host] ?? 0;
  }

  /** The name of a host's cluster; undefined where it is of no named one. */
  clusterOf(host: number): string | undefined {
    return this.clusters.name(this.clusterNumber(host)) || undefined;
  }

  #is(host: number, bytes: Uint8Array, at: number, length: number): boolean {
    if (this.#lengths[host] !== length || this.#clusters[host] !== this.cluster) return false;
    for (let index = 0; index < length; index += 1) {
      if (this.#addresses[host * WIDTH + index] !== bytes[at + index]) return false;
    }
    return true;
  }

  #add(slot: number, bytes: Uint8Array, at: number, length: number): number {
    if (this.count >= HOSTS_MAXIMUM) {
      this.overflowed += 1;
      this.#overflow = HOSTS_MAXIMUM;
      return HOSTS_MAXIMUM;
    }
    const host = this.count;
    this.count += 1;
    if (host >= this.#lengths.length) this.#grow();
    for (let index = 0; index < length; index += 1) this.#addresses[host * WIDTH + index] = u8(bytes, at + index);
    this.#lengths[host] = length;
    this.#clusters[host] = this.cluster;
    if (this.#slots[slot] === 0) this.#slots[slot] = host + 1;
    if (this.count * 2 > this.#slots.length) this.#rehash();
    return host;
  }

  #grow(): void {
    const grown = new Uint8Array(this.#addresses.length * 2);
    grown.set(this.#addresses);
    this.#addresses = grown;
    const lengths = new Uint8Array(this.#lengths.length * 2);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
    const clusters = new Uint16Array(this.#clusters.length * 2);
    clusters.set(this.#clusters);
    this.#clusters = clusters;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let host = 0; host < this.count; host += 1) {
      const length = this.#lengths[host] as number;
      let hash = length ^ ((this.#clusters[host] as number) << 8);
      for (let index = 0; index < length; index += 1) {
        hash = Math.imul(hash ^ u8(this.#addresses, host * WIDTH + index), 0x01000193);
      }
      hash ^= hash >>> 15;
      let slot = hash & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = host + 1;
    }
    this.#slots = slots;
  }
}
