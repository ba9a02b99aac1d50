import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** V8's heap may grow by this much of what is alive before all of it is collected; V8's own default is up to 300. */
const GROWTH_PERCENT = 40;

/** Space for new objects, two halves of it; V8's own default is up to twice as much and more, at no gain for captures. */
const NEW_SPACE_BYTES = 16 * 2 ** 20;
/** How often it is looked at until it is that large, ms. */
const LOOK_MS = 10;

/** After this time it begins, ms. */
const START_MS = 50;

/** V8's own values of what is set here. */
const DEFAULTS: readonly string[] = ['--heap-growing-percent=0', '--semi-space-growth-factor=2'];

/**
 * Collect memory earlier: connections live long enough to become old before they end, and by default V8 lets several times
 * as much garbage of them pile up as is alive. Captures with few connections are collected no more often.
 * That begins a moment later: a start needs neither node:v8 nor, for what it still loads, other flags than those under which
 * compiled code was kept.
 */
export function boundHeapGrowth(): void {
  setTimeout(setHeapFlags, START_MS).unref();
}

function setHeapFlags(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  // V8 takes compiled code only under the flags under which it was made, and it is kept at the end (bin/script-cache.mjs).
  process.prependOnceListener('exit', () => DEFAULTS.forEach(setFlagsFromString));
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
