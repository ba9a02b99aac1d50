/** One figure measured several times. */
export interface Samples {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
}

export function samplesOf(values: readonly number[]): Samples {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
  return { median, minimum: sorted[0] ?? Number.NaN, maximum: sorted.at(-1) ?? Number.NaN };
}

/**
 * Measure ours and the peer's in turn, so that whatever else the machine does meets both alike. The first round warms
 * both up and is not counted.
 * @returns each one's result, round by round
 */
export async function sideBySide<T>(
  rounds: number,
  ours: () => Promise<T>,
  peer: () => Promise<T>,
): Promise<{ ours: T[]; peer: T[] }> {
  const results = { ours: [] as T[], peer: [] as T[] };
  for (let round = 0; round <= rounds; round += 1) {
    // Each goes first in every other round.
    const order = round % 2 === 0 ? (['ours', 'peer'] as const) : (['peer', 'ours'] as const);
    for (const who of order) {
      const result = await (who === 'ours' ? ours() : peer());
      if (round > 0) results[who].push(result);
    }
  }
  return results;
}
