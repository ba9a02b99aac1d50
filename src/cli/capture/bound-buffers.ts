import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** How often buffers are looked at, and how many bytes of them may pile up in between. */
const LOOK_MS = 50;
const PILED_UP_BYTES = 24 * 1024 * 1024;

/**
 * Free the buffers of packets that were passed on. They are outside V8's heap, which collects them when there are 64 MiB more:
 * at hundreds of megabytes a second a process holds twice what it uses. A collection of the young generation takes a
 * millisecond or two.
 * @returns a function that ends it
 */
export function boundBuffers(): () => void {
  let collect: ((options: { readonly type: 'minor' }) => void) | undefined;
  let before = getHeapStatistics().external_memory;
  const look = () => {
    const now = getHeapStatistics().external_memory;
    if (now < before + PILED_UP_BYTES) {
      before = Math.min(before, now);
      return;
    }
    collect ??= collector();
    collect({ type: 'minor' });
    before = getHeapStatistics().external_memory;
  };
  const timer = setInterval(look, LOOK_MS).unref();
  return () => clearInterval(timer);
}

/** V8's own function, which only a context that is made with this flag has. */
function collector(): (options: { readonly type: 'minor' }) => void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  return typeof collect === 'function' ? (options) => void collect(options) : () => {};
}
