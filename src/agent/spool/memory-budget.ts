import { KsnoopError } from '../../wire/errors.ts';
import { MEMORY_RESERVE, SPOOL_FLOOR, SPOOL_GRANT, STARTING_MS } from '../limits.ts';
import { Allowance, type AllowanceOptions } from './allowance.ts';

/** Where it is known how many bytes of memory are left; undefined without a limit. */
export interface FreeMemory {
  free(): number | undefined;
}

/** Memory that was admitted and may not have been taken yet. */
interface Admitted {
  readonly bytes: number;
  /** Until when it counts, milliseconds. */
  readonly until: number;
}

/**
 * The memory that packets and events of slow clients take, of all sessions of this process. Of what is left in the container
 * above a reserve, each session that wants more than a little may take an equal part. What was promised counts before it is
 * taken: what was admitted, and what each session may take without a further grant.
 */
export class MemoryBudget {
  readonly #memory: FreeMemory;
  readonly #shares = new Set<MemoryShare>();
  readonly #admitted = new Set<Admitted>();

  constructor(memory: FreeMemory) {
    this.#memory = memory;
  }

  /** Bytes that are left above the reserve and above what is promised; infinite without a limit. */
  get available(): number {
    const free = this.#memory.free();
    if (free === undefined) return Number.POSITIVE_INFINITY;
    let promised = 0;
    const now = performance.now();
    for (const admitted of this.#admitted) {
      if (admitted.until <= now) this.#admitted.delete(admitted);
      else promised += admitted.bytes;
    }
    for (const share of this.#shares) promised += share.promised;
    return free - MEMORY_RESERVE - promised;
  }

  /** Bytes that the sessions of this process hold. */
  get held(): number {
    let sum = 0;
    for (const share of this.#shares) sum += share.held;
    return sum;
  }

  /**
   * Admit one more capture, which takes its memory while its tcpdumps start: where that takes long, it counts for
   * STARTING_MS, for by then the container counts what they have taken.
   * @returns to be called when they have started or failed; undefined when too little memory is left
   */
  begin(bytes: number): (() => void) | undefined {
    return this.#admit(bytes, 0);
  }

  /**
   * Admit one more session, which takes some memory soon.
   * @param floors bytes that its parts may take without a grant; they count as promised from when the parts exist
   * @returns false when too little memory is left
   */
  admit(bytes: number, floors: number): boolean {
    return this.#admit(bytes, floors) !== undefined;
  }

  #admit(bytes: number, floors: number): (() => void) | undefined {
    if (this.available < bytes + floors) return undefined;
    const admitted = { bytes, until: performance.now() + STARTING_MS };
    this.#admitted.add(admitted);
    return () => void this.#admitted.delete(admitted);
  }

  /** One session's part. */
  open(): MemoryShare {
    const share: MemoryShare = new MemoryShare(
      (bytes) => this.#grants(share, bytes),
      () => this.#shares.delete(share),
    );
    this.#shares.add(share);
    return share;
  }

  #grants(share: MemoryShare, bytes: number): boolean {
    const { available } = this;
    if (available < bytes) return false;
    const own = share.held;
    let held = own;
    let wanting = 1;
    for (const other of this.#shares) {
      const others = other === share ? 0 : other.held;
      if (others <= 2 * SPOOL_FLOOR) continue;
      held += others;
      wanting += 1;
    }
    return own + bytes <= Math.max(SPOOL_GRANT, (available + held) / wanting);
  }
}

/** The error for a capture that was not admitted. */
export function noMemory({ available }: Pick<MemoryBudget, 'available'>): KsnoopError {
  const left = Math.max(0, Math.floor((available + MEMORY_RESERVE) / 1024 / 1024));
  const message = `The agent's container has ${left} MiB of memory left, too little for another capture.`;
  return new KsnoopError('NO_MEMORY', message, {
    hint: "End other captures on the node, or raise the memory limit of DaemonSet ksnoop-agent's container.",
  });
}

/** One session's part of the memory. */
export class MemoryShare {
  readonly #grants: (bytes: number) => boolean;
  readonly #closed: () => void;
  readonly #holders: (() => number)[] = [];
  readonly #allowances: Allowance[] = [];

  constructor(grants: (bytes: number) => boolean, closed: () => void) {
    this.#grants = grants;
    this.#closed = closed;
  }

  /** Have what a part of the session holds count as the session's; `held` gives its bytes. */
  count(held: () => number): void {
    this.#holders.push(held);
  }

  /** A part of the session that holds bytes and may hold more when they are granted. */
  allow(options: Omit<AllowanceOptions, 'grant'>): Allowance {
    const allowance = new Allowance({ ...options, grant: this.#grants });
    this.#allowances.push(allowance);
    this.#holders.push(options.held);
    return allowance;
  }

  /** Bytes that the session holds. */
  get held(): number {
    let sum = 0;
    for (const held of this.#holders) sum += held();
    return sum;
  }

  /** Bytes that the session does not hold yet and may take without a further grant. */
  get promised(): number {
    let sum = 0;
    for (const allowance of this.#allowances) sum += allowance.promised;
    return sum;
  }

  close(): void {
    this.#closed();
    this.#holders.length = 0;
    this.#allowances.length = 0;
  }
}
