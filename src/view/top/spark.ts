const STEPS = '▁▂▃▄▅▆▇█';

/** Counts as a line of bars, the newest at the right; a period without any is a space. @param width cells */
export function sparkLine(counts: readonly number[], width: number): string {
  const shown = counts.slice(-width);
  const most = shown.reduce((greatest, count) => Math.max(greatest, count), 0);
  const bars = shown.map((count) =>
    count === 0 ? ' ' : STEPS[Math.min(STEPS.length - 1, Math.floor((count / most) * (STEPS.length - 1) + 0.5))],
  );
  return bars.join('').padStart(width);
}
