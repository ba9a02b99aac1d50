import type { Samples } from './measure.ts';

/** One line of the table: what ours took, what the peer took, and what the ratio should be. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly ours: Samples;
  readonly peer: Samples;
  /** What the peer is, in its own command's words. */
  readonly against: string;
  /** Median of ours over median of the peer's. */
  readonly ratio: number;
  readonly goal: { readonly relation: '<=' | '>='; readonly ratio: number };
  /** What else is to be known: losses, counts. */
  readonly notes: readonly string[];
}

/** A benchmark: one file, one line in index.ts. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  run(): Promise<readonly Figure[]>;
}

export function figure(parts: Omit<Figure, 'ratio'>): Figure {
  return { ...parts, ratio: parts.ours.median / parts.peer.median };
}

export function isMet({ ratio, goal }: Figure): boolean {
  return goal.relation === '<=' ? ratio <= goal.ratio : ratio >= goal.ratio;
}

export function tableLines(figures: readonly Figure[]): string[] {
  const range = ({ median, minimum, maximum }: Samples) => `${short(median)} (${short(minimum)}–${short(maximum)})`;
  const rows = figures.map((one) => [
    one.name,
    `${range(one.ours)} ${one.unit}`,
    `${range(one.peer)} ${one.unit}`,
    one.ratio.toFixed(2),
    `${one.goal.relation} ${one.goal.ratio}`,
    isMet(one) ? 'met' : 'MISSED',
  ]);
  const table = [['what', 'ksnoop: median (range)', 'peer: median (range)', 'ratio', 'goal', ''], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const notes = figures.flatMap(({ name, against, notes }) => [
    `${name}: against ${against}`,
    ...notes.map((note) => `  ${note}`),
  ]);
  return [...lines, '', ...notes];
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
