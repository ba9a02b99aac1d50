import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { DEAD_BYTES, DEAD_LOOK_MS, MEMORY_SHORT } from '../limits.ts';

/** What is known of the memory: bytes that are left, and those of buffers that are in use. */
export interface KnownMemory {
  readonly available: number;
  readonly held: number;
}

/**
 * Free the buffers of packets that clients have acknowledged, where memory is short. They are outside V8's heap, which lets
 * up to 100 MiB of them pile up. They have lived too long for a collection of the young generation; a full one takes some
 * ten milliseconds, for the heap itself is small.
 * @returns a function that ends it
 */
export function collectDeadBuffers(memory: KnownMemory): () => void {
  let collect: (() => void) | undefined;
  /** Bytes that are in use and that `held` does not know, after the last collection. */
  let others = unknownBytes(memory);
  const look = () => {
    if (memory.available >= MEMORY_SHORT) return;
    const now = unknownBytes(memory);
    if (now < others + DEAD_BYTES) {
      others = Math.min(others, now);
      return;
    }
    collect ??= collector();
    collect();
    others = unknownBytes(memory);
  };
  const timer = setInterval(look, DEAD_LOOK_MS).unref();
  return () => clearInterval(timer);
}

function unknownBytes({ held }: KnownMemory): number {
  return getHeapStatistics().external_memory - held;
}

/** V8's own function, which only a context that is made with this flag has (as in cli/capture/bound-buffers, for the client). */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? () => void collect({ type: 'major' }) : () => {};
}
