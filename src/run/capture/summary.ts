import type { CaptureResult } from '../../capture/streams/capture.ts';
import { carries, countersOf, incompleteCounts, type TargetReport } from '../../capture/streams/report.ts';
import type { CaptureSummary, TargetSummary } from '../../view/summary.ts';
import { timeSpan } from '../../view/units.ts';
import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import type { OpenOutput } from '../outputs/open.ts';
import { failureOf } from '../sink/sink.ts';

/**
 * The closing summary of a capture that has ended.
 * @param edge the packets were analysed on their nodes: their agents have counted them
 */
export function captureSummary(
  result: CaptureResult,
  { output, sink }: OpenOutput,
  elapsedMs: number,
  edge = false,
): CaptureSummary {
  const { report, tally } = result;
  const notes = report.gaps.map((gap) => {
    const { label, from, until, reason } = gap;
    const length = until === undefined ? 'to the end' : `for ${timeSpan(until.getTime() - from.getTime())}`;
    return `GAP: no packets from ${label} from ${from.toISOString()} ${length}${incompleteCounts(gap)}: ${reason}`;
  });
  notes.push(...result.clockNotes);
  if (result.cutOff) notes.push('the last packets of an agent were not waited for any longer and are missing');
  const failure = sink && failureOf(sink);
  if (failure !== undefined) notes.push(writeFailure(sink?.path, failure));
  else if (sink?.description !== undefined && tally.interfaces.length > 0) notes.push(sink.description);
  if (output.omitted !== undefined) notes.push(...output.omitted.split('\n'));
  const owners = new Map<string, string>();
  const targets = [...report.targets.values()].map((target) => {
    const summary = targetSummary(target, owners, result, edge);
    for (const name of target.interfaces) if (!owners.has(name)) owners.set(name, target.label);
    return summary;
  });
  const bytes = edge ? result.streamBytes : tally.bytes;
  return { elapsedMs, bytes, targets, late: result.late, notes };
}

/** @param owners which target before this one has shown an interface's packets as its own */
function targetSummary(
  target: TargetReport,
  owners: ReadonlyMap<string, string>,
  result: CaptureResult,
  edge: boolean,
): TargetSummary {
  const counters = countersOf(target);
  const tallies = result.tally.interfaces.filter((tally) => carries(target, tally));
  const sum = (pick: (tally: (typeof tallies)[number]) => number) =>
    tallies.reduce((all, tally) => all + pick(tally), 0);
  const note = whatBecame(target);
  const [first] = target.interfaces;
  const here = sum(({ packets }) => packets);
  const captured = edge ? Math.max(here, counters.captured) : here;
  const { droppedByKernel, droppedByKsnoop } = counters;
  return {
    label: target.label,
    sharedWith: first === undefined ? undefined : owners.get(first),
    captured,
    // An agent that was killed has not sent its last counts.
    received: Math.max(counters.received, captured + droppedByKernel + droppedByKsnoop),
    droppedByKernel,
    droppedByKsnoop,
    truncated: sum(({ truncated }) => truncated),
    note,
  };
}

/** What became of a target, where it is worth a word: it came or went while the capture ran, failed, or never began. */
function whatBecame({ state, error, joined, left }: TargetReport): string | undefined {
  if (state === 'failed') return `failed: ${error?.message ?? 'for no known reason'}`;
  const words = joined === undefined ? [] : [`joined ${clock(joined)}`];
  if (state === 'gone') words.push(left === undefined ? 'gone' : `gone ${clock(left)}`);
  if (state === 'waiting') words.push('never had a network to capture');
  return words.length === 0 ? undefined : words.join(', ');
}

/** Time of day, UTC, to the second. */
function clock(time: Date): string {
  return time.toISOString().slice(11, 19);
}

function writeFailure(path: string | undefined, error: Error): string {
  if (error instanceof KsnoopError) return error.message;
  const where = path === undefined ? 'the output' : `the file ${path}`;
  const why = systemCode(error) === 'ENOSPC' ? 'the disk is full' : messageOf(error);
  return `${where} could not be written to its end: ${why}; what is in it up to there can be read`;
}
