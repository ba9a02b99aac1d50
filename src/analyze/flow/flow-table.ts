import { N } from './flow-layout.ts';

const MINIMUM_PLACES = 1024;

/** Tells whether the flow at a place may go: it has been silent long enough. */
export type MayExpire = (table: FlowTable, place: number, now: number) => boolean;

/**
 * Flows of one stride by their key, in typed arrays: nothing is allocated for a flow but by doubling. A flow's place
 * stays the same as long as it lives. After `find` read `ints` and `doubles` anew: they may have grown.
 */
export class FlowTable {
  ints: Int32Array;
  doubles: Float64Array;
  /** Flows alive. */
  count = 0;
  /** Flows that had to go early because the table was full. */
  evicted = 0;
  readonly #stride: number;
  readonly #maximum: number;
  readonly #onEnd: (place: number) => void;
  #capacity = MINIMUM_PLACES;
  /** Open addressing, two words a slot: place + 1 (0 for free), and the hash: most misses end without a look at a flow. */
  #slots = new Int32Array(MINIMUM_PLACES * 4);
  #used = 0;
  #free: number[] = [];
  #hand = 0;

  /**
   * @param stride int32s of a flow, even
   * @param maximum flows at once; past it the ones longest silent go
   * @param onEnd called before a flow's place becomes free
   */
  constructor(stride: number, maximum: number, onEnd: (place: number) => void) {
    this.#stride = stride;
    this.#maximum = maximum;
    this.#onEnd = onEnd;
    const buffer = new ArrayBuffer(MINIMUM_PLACES * stride * 4);
    this.ints = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Index of a place's first int32; of its first double it is half of that. */
  base(place: number): number {
    return place * this.#stride;
  }

  /** The place of the flow with this key, or -1. */
  find(addressA: number, addressB: number, ports: number, kind: number): number {
    const { ints } = this;
    const slots = this.#slots;
    const mask = slots.length - 1;
    const hash = hashOf(addressA, addressB, ports, kind);
    for (let slot = (hash << 1) & mask; ; slot = (slot + 2) & mask) {
      const place = (slots[slot] as number) - 1;
      if (place < 0) return -1;
      if (slots[slot + 1] !== hash) continue;
      const base = place * this.#stride;
      if (
        ints[base + N.ports] === ports &&
        ints[base + N.addressA] === addressA &&
        ints[base + N.addressB] === addressB &&
        ints[base + N.kind] === kind
      ) {
        return place;
      }
    }
  }

  /** A new flow's place: everything in it is 0 but its key and its id. Its key must not be in the table. */
  add(addressA: number, addressB: number, ports: number, kind: number, id: number): number {
    if (this.count >= this.#maximum) this.#evict();
    const place = this.#free.pop() ?? this.#append();
    const base = place * this.#stride;
    const hash = hashOf(addressA, addressB, ports, kind);
    const { ints } = this;
    ints.fill(0, base, base + this.#stride);
    ints[base + N.addressA] = addressA;
    ints[base + N.addressB] = addressB;
    ints[base + N.ports] = ports;
    ints[base + N.kind] = kind;
    ints[base + N.hash] = hash;
    ints[base + N.id] = id + 1;
    this.count += 1;
    this.#insert(place, hash);
    return place;
  }

  /** End a flow: `onEnd` is told, then its place is free. */
  remove(place: number): void {
    this.#onEnd(place);
    this.#unlink(place);
    this.ints[place * this.#stride + N.id] = 0;
    this.count -= 1;
    this.#free.push(place);
  }

  /** Look at the next `steps` places and end what may expire. */
  sweep(steps: number, now: number, mayExpire: MayExpire): void {
    const { ints } = this;
    for (let step = Math.min(steps, this.#used); step > 0; step -= 1) {
      if (this.#hand >= this.#used) this.#hand = 0;
      const place = this.#hand;
      this.#hand += 1;
      const base = place * this.#stride;
      if (ints[base + N.id] === 0) continue;
      ints[base + N.passed] = 1;
      if (mayExpire(this, place, now)) this.remove(place);
    }
  }

  /** The places of all flows alive. */
  places(): number[] {
    const places: number[] = [];
    for (let place = 0; place < this.#used; place += 1) {
      if (this.ints[place * this.#stride + N.id] !== 0) places.push(place);
    }
    return places;
  }

  /** End all flows, in the order in which they were first seen. */
  clear(): void {
    const places = this.places();
    const { ints } = this;
    const idOf = (place: number) => ints[place * this.#stride + N.id] as number;
    places.sort((a, b) => idOf(a) - idOf(b));
    for (const place of places) this.remove(place);
  }

  #append(): number {
    const place = this.#used;
    this.#used += 1;
    if (place >= this.#capacity) this.#grow();
    return place;
  }

  #grow(): void {
    this.#capacity *= 2;
    const buffer = new ArrayBuffer(this.#capacity * this.#stride * 4);
    const ints = new Int32Array(buffer);
    ints.set(this.ints);
    this.ints = ints;
    this.doubles = new Float64Array(buffer);
  }

  /** The second-chance rule: the first flow without a packet since the hand last passed it. */
  #evict(): void {
    const { ints } = this;
    for (let step = this.#used * 2; step > 0; step -= 1) {
      if (this.#hand >= this.#used) this.#hand = 0;
      const place = this.#hand;
      this.#hand += 1;
      const base = place * this.#stride;
      if (ints[base + N.id] === 0) continue;
      if (ints[base + N.passed] === 0) {
        ints[base + N.passed] = 1;
        continue;
      }
      this.evicted += 1;
      this.remove(place);
      return;
    }
  }

  #insert(place: number, hash: number): void {
    if ((this.count + 1) * 4 > this.#slots.length) {
      this.#rehash();
      return;
    }
    put(this.#slots, place, hash);
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    for (let place = 0; place < this.#used; place += 1) {
      const base = place * this.#stride;
      if (this.ints[base + N.id] !== 0) put(slots, place, this.ints[base + N.hash] as number);
    }
    this.#slots = slots;
  }

  /** Take a place out of the slots, closing the hole it leaves in its run (Knuth, 6.4, algorithm R). */
  #unlink(place: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = ((this.ints[place * this.#stride + N.hash] as number) << 1) & mask;
    while (slots[hole] !== place + 1) hole = (hole + 2) & mask;
    for (let slot = (hole + 2) & mask; slots[slot] !== 0; slot = (slot + 2) & mask) {
      const home = ((slots[slot + 1] as number) << 1) & mask;
      // It may move into the hole when its home does not lie between the hole and where it is.
      if (((slot - home) & mask) >= ((slot - hole) & mask)) {
        slots[hole] = slots[slot] as number;
        slots[hole + 1] = slots[slot + 1] as number;
        hole = slot;
      }
    }
    slots[hole] = 0;
  }
}

function put(slots: Int32Array, place: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = (hash << 1) & mask;
  while (slots[slot] !== 0) slot = (slot + 2) & mask;
  slots[slot] = place + 1;
  slots[slot + 1] = hash;
}

function hashOf(addressA: number, addressB: number, ports: number, kind: number): number {
  let hash = Math.imul(addressA ^ Math.imul(addressB, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15) ^ kind, 0x27d4eb2f);
  return hash ^ (hash >>> 13);
}
