import { FLOW_I32 } from './flow-layout.ts';

const MINIMUM_PLACES = 1024;

/** Whether the flow at a slot may be evicted: it has been silent long enough. */
export type MayExpire = (table: FlowTable, slot: number, now: number) => boolean;

/**
 * Flows of one stride by their key, in typed arrays: nothing is allocated for a flow but by doubling. A flow's slot
 * stays the same until the flow ends. After `find` read `ints` and `doubles` anew: they may have grown.
 */
export class FlowTable {
  ints: Int32Array;
  doubles: Float64Array;
  /** Flows alive. */
  count = 0;
  /** Flows that had to go early because the table was full. */
  evicted = 0;
  /** During `onEnd`: the flow goes because the table is full. */
  evicting = false;
  readonly #stride: number;
  readonly #maximum: number;
  readonly #onEnd: (slot: number) => void;
  #capacity = MINIMUM_PLACES;
  /** Open addressing, two words a bucket: slot + 1 (0 for free), and the hash: most misses end without a look at a flow. */
  #buckets = new Int32Array(MINIMUM_PLACES * 4);
  #used = 0;
  #free: number[] = [];
  #hand = 0;

  /**
   * @param stride int32s of a flow, even
   * @param maximum flows at once; past it the ones longest silent go
   * @param onEnd called before a flow's slot becomes free
   */
  constructor(stride: number, maximum: number, onEnd: (slot: number) => void) {
    this.#stride = stride;
    this.#maximum = maximum;
    this.#onEnd = onEnd;
    const buffer = new ArrayBuffer(MINIMUM_PLACES * stride * 4);
    this.ints = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** Index of a slot's first int32; of its first double it is half of that. */
  base(slot: number): number {
    return slot * this.#stride;
  }

  /** The slot of the flow with this key, or -1. */
  find(addressA: number, addressB: number, ports: number, kind: number): number {
    const { ints } = this;
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    const hash = hashOf(addressA, addressB, ports, kind);
    for (let bucket = (hash << 1) & mask; ; bucket = (bucket + 2) & mask) {
      const slot = (buckets[bucket] as number) - 1;
      if (slot < 0) return -1;
      if (buckets[bucket + 1] !== hash) continue;
      const base = slot * this.#stride;
      if (
        ints[base + FLOW_I32.ports] === ports &&
        ints[base + FLOW_I32.addressA] === addressA &&
        ints[base + FLOW_I32.addressB] === addressB &&
        ints[base + FLOW_I32.kind] === kind
      ) {
        return slot;
      }
    }
  }

  /** A new flow's slot: everything in it is 0 but its key and its id. Its key must not be in the table. */
  add(addressA: number, addressB: number, ports: number, kind: number, id: number): number {
    if (this.count >= this.#maximum) this.#evict();
    const slot = this.#free.pop() ?? this.#append();
    const base = slot * this.#stride;
    const hash = hashOf(addressA, addressB, ports, kind);
    const { ints } = this;
    ints.fill(0, base, base + this.#stride);
    ints[base + FLOW_I32.addressA] = addressA;
    ints[base + FLOW_I32.addressB] = addressB;
    ints[base + FLOW_I32.ports] = ports;
    ints[base + FLOW_I32.kind] = kind;
    ints[base + FLOW_I32.hash] = hash;
    ints[base + FLOW_I32.id] = id + 1;
    this.count += 1;
    this.#insert(slot, hash);
    return slot;
  }

  /** Ends a flow: calls `onEnd`, then frees its slot. */
  remove(slot: number): void {
    this.#onEnd(slot);
    this.#unlink(slot);
    this.ints[slot * this.#stride + FLOW_I32.id] = 0;
    this.count -= 1;
    this.#free.push(slot);
  }

  /** Look at the next `steps` slots and end what may expire. */
  sweep(steps: number, now: number, mayExpire: MayExpire): void {
    const { ints } = this;
    for (let step = Math.min(steps, this.#used); step > 0; step -= 1) {
      if (this.#hand >= this.#used) this.#hand = 0;
      const slot = this.#hand;
      this.#hand += 1;
      const base = slot * this.#stride;
      if (ints[base + FLOW_I32.id] === 0) continue;
      ints[base + FLOW_I32.passed] = 1;
      if (mayExpire(this, slot, now)) this.remove(slot);
    }
  }

  /** The slots of all flows alive. */
  slots(): number[] {
    const slots: number[] = [];
    for (let slot = 0; slot < this.#used; slot += 1) {
      if (this.ints[slot * this.#stride + FLOW_I32.id] !== 0) slots.push(slot);
    }
    return slots;
  }

  /** End all flows, in the order in which they were first seen. */
  clear(): void {
    const slots = this.slots();
    const { ints } = this;
    const idOf = (slot: number) => ints[slot * this.#stride + FLOW_I32.id] as number;
    slots.sort((a, b) => idOf(a) - idOf(b));
    for (const slot of slots) this.remove(slot);
  }

  #append(): number {
    const slot = this.#used;
    this.#used += 1;
    if (slot >= this.#capacity) this.#grow();
    return slot;
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
      const slot = this.#hand;
      this.#hand += 1;
      const base = slot * this.#stride;
      if (ints[base + FLOW_I32.id] === 0) continue;
      if (ints[base + FLOW_I32.passed] === 0) {
        ints[base + FLOW_I32.passed] = 1;
        continue;
      }
      this.evicted += 1;
      this.evicting = true;
      this.remove(slot);
      this.evicting = false;
      return;
    }
  }

  #insert(slot: number, hash: number): void {
    if ((this.count + 1) * 4 > this.#buckets.length) {
      this.#rehash();
      return;
    }
    put(this.#buckets, slot, hash);
  }

  #rehash(): void {
    const buckets = new Int32Array(this.#buckets.length * 2);
    for (let slot = 0; slot < this.#used; slot += 1) {
      const base = slot * this.#stride;
      if (this.ints[base + FLOW_I32.id] !== 0) put(buckets, slot, this.ints[base + FLOW_I32.hash] as number);
    }
    this.#buckets = buckets;
  }

  /** Take a slot out of the buckets, closing the hole it leaves in its run (Knuth, 6.4, algorithm R). */
  #unlink(slot: number): void {
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    let hole = ((this.ints[slot * this.#stride + FLOW_I32.hash] as number) << 1) & mask;
    while (buckets[hole] !== slot + 1) hole = (hole + 2) & mask;
    for (let bucket = (hole + 2) & mask; buckets[bucket] !== 0; bucket = (bucket + 2) & mask) {
      const home = ((buckets[bucket + 1] as number) << 1) & mask;
      // It may move into the hole when its home does not lie between the hole and where it is.
      if (((bucket - home) & mask) >= ((bucket - hole) & mask)) {
        buckets[hole] = buckets[bucket] as number;
        buckets[hole + 1] = buckets[bucket + 1] as number;
        hole = bucket;
      }
    }
    buckets[hole] = 0;
  }
}

function put(buckets: Int32Array, slot: number, hash: number): void {
  const mask = buckets.length - 1;
  let bucket = (hash << 1) & mask;
  while (buckets[bucket] !== 0) bucket = (bucket + 2) & mask;
  buckets[bucket] = slot + 1;
  buckets[bucket + 1] = hash;
}

function hashOf(addressA: number, addressB: number, ports: number, kind: number): number {
  let hash = Math.imul(addressA ^ Math.imul(addressB, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15) ^ kind, 0x27d4eb2f);
  return hash ^ (hash >>> 13);
}
