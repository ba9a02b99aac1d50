import { byteSize, counted, grouped, timeSpan } from './units.ts';

/** One target's line of the closing summary. Counts are whole packets. */
export interface TargetSummary {
  readonly label: string;
  /** An earlier target in the same network namespace: the packets are the same ones, and are counted once in all. */
  readonly sharedWith: string | undefined;
  readonly captured: number;
  readonly received: number;
  readonly droppedByKernel: number;
  readonly droppedByKsnoop: number;
  readonly truncated: number;
  /** What became of it, when that is worth a word: `gone`, `failed: …`. */
  readonly note: string | undefined;
}

export interface CaptureSummary {
  readonly elapsedMs: number;
  readonly bytes: number;
  readonly targets: readonly TargetSummary[];
  readonly late: number;
  /** Sentences: gaps, what the output form left out, where the packets are. */
  readonly notes: readonly string[];
}

/** The closing summary: always the five counts, and every pod's own where one of them is not zero. */
export function summaryLines(summary: CaptureSummary): string[] {
  const total = (pick: (target: TargetSummary) => number) =>
    summary.targets.reduce((sum, target) => sum + (target.sharedWith === undefined ? pick(target) : 0), 0);
  const all: TargetSummary = {
    label: `${summary.targets.length === 1 ? summary.targets[0]?.label : counted(summary.targets.length, 'target')}, ${byteSize(summary.bytes)} in ${timeSpan(summary.elapsedMs)}`,
    sharedWith: undefined,
    captured: total((target) => target.captured),
    received: total((target) => target.received),
    droppedByKernel: total((target) => target.droppedByKernel),
    droppedByKsnoop: total((target) => target.droppedByKsnoop),
    truncated: total((target) => target.truncated),
    note: undefined,
  };
  const several = summary.targets.length > 1;
  const worthy = summary.targets.filter((target) => target.note !== undefined || (several && !isZero(target)));
  const late = summary.late > 0 ? [`${counted(summary.late, 'packet')} came too late to be put in order`] : [];
  return [line(all), ...worthy.map((target) => `  ${line(target)}`), ...late, ...summary.notes];
}

function isZero(target: TargetSummary): boolean {
  return target.captured + target.received + target.droppedByKernel + target.droppedByKsnoop + target.truncated === 0;
}

function line(target: TargetSummary): string {
  const counts = [
    `${counted(target.captured, 'packet')} captured`,
    `${grouped(target.received)} received`,
    `${grouped(target.droppedByKernel)} dropped by kernel`,
    `${grouped(target.droppedByKsnoop)} dropped by ksnoop`,
    `${grouped(target.truncated)} truncated`,
  ];
  const shared = target.sharedWith === undefined ? undefined : `the same packets as ${target.sharedWith}`;
  const notes = [shared, target.note].filter((note) => note !== undefined);
  return `${target.label}: ${counts.join(', ')}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}
