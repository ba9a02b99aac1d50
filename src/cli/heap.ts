import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** V8's heap may grow by this much of what is alive before all of it is collected; V8's own default is up to 300. */
const GROWTH_PERCENT = 40;

/** Space for new objects, two halves of it; V8's own default is up to twice as much and more, at no gain for captures. */
const NEW_SPACE_BYTES = 16 * 2 ** 20;
/** How often it is looked at until it is that large, ms. */
const LOOK_MS = 10;

/**
 * Collect memory earlier: connections live long enough to become old before they end, and by default V8 lets several times
 * as much garbage of them pile up as is alive. Captures with few connections are collected no more often.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  // Its maximum can be set only before V8 starts; by how much it grows can be set at any time.
  const look = setInterval(() => {
    if (newSpaceBytes() < NEW_SPACE_BYTES) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(look);
  }, LOOK_MS);
  look.unref();
}

function newSpaceBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0;
}
