import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MEMORY_RESERVE, MEMORY_STALE_MS } from '../limits.ts';

/** Where a kernel says what a container's processes may take and have taken (memory cgroup, versions 2 and 1). */
const VERSIONS = [
  {
    limit: 'memory.max',
    usage: 'memory.current',
    statistics: 'memory.stat',
    cache: /^inactive_file (\d+)$/m,
    events: 'memory.events',
  },
  {
    limit: 'memory/memory.limit_in_bytes',
    usage: 'memory/memory.usage_in_bytes',
    statistics: 'memory/memory.stat',
    cache: /^total_inactive_file (\d+)$/m,
    events: 'memory/memory.oom_control',
  },
] as const;

/**
 * The memory of the agent's container: of the waiting process, all captures and their tcpdumps together. Past its limit the
 * kernel kills one of them, so that nothing may grow, and no capture begin, where little is left.
 */
export class ContainerMemory {
  readonly #root: string;
  #free: number | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  /** @param root where the container sees its own cgroup */
  constructor(root = '/sys/fs/cgroup') {
    this.#root = root;
  }

  /** Bytes that are left before the kernel kills; undefined where there is no limit, or none that can be read. */
  free(): number | undefined {
    const now = performance.now();
    if (now - this.#readAt > MEMORY_STALE_MS) {
      this.#free = this.#read();
      this.#readAt = now;
    }
    return this.#free;
  }

  /** Whether so many bytes more may be taken, and the reserve is still there. */
  has(bytes: number): boolean {
    const free = this.free();
    return free === undefined || free - bytes >= MEMORY_RESERVE;
  }

  /** Processes of the container that the kernel has killed for lack of memory; undefined where it does not count them. */
  kills(): number | undefined {
    for (const { events } of VERSIONS) {
      const count = /^oom_kill (\d+)$/m.exec(this.#text(events) ?? '')?.[1];
      if (count !== undefined) return Number(count);
    }
    return undefined;
  }

  #read(): number | undefined {
    for (const { limit, usage, statistics, cache } of VERSIONS) {
      const most = Number(this.#text(limit) ?? 'max');
      const taken = Number(this.#text(usage) ?? 'none');
      if (!Number.isSafeInteger(most) || !Number.isSafeInteger(taken)) continue;
      // Files that were read or written and are not in use: the kernel drops them before it kills.
      const dropped = Number(cache.exec(this.#text(statistics) ?? '')?.[1] ?? 0);
      return most - taken + dropped;
    }
    return undefined;
  }

  #text(file: string): string | undefined {
    try {
      return readFileSync(join(this.#root, file), 'utf8').trim();
    } catch {
      return undefined;
    }
  }
}
