import type { JsonObject } from '../../wire/guard.ts';
import type { CaptureView } from '../capture-object.ts';
import type { TargetProblems } from '../followed-pods.ts';
import { NODES_NAMED } from '../limits.ts';
import type { Placement } from '../placement.ts';
import type { Condition, Verdict } from '../status.ts';
import { admittedConditions, degradedReasons, problemWord } from '../verdict.ts';
import { FILES_NAMED, KEEP_RECORDED_MS } from './limits.ts';
import type { NodeReport } from './report.ts';
import { NODE_DESTINATION } from './spec.ts';

/** What a status has of a recording besides what it has of every Capture. */
export interface RecordingStatus {
  readonly capturing: number;
  readonly counters: JsonObject;
  readonly nodes: readonly JsonObject[];
  readonly files: readonly JsonObject[];
}

/** The part of the status that says what was recorded where. */
export function recordingStatus(reports: readonly NodeReport[]): RecordingStatus {
  const files = reports.flatMap((report) => report.files);
  const newest = files.sort((a, b) => ((a.first ?? '') < (b.first ?? '') ? -1 : 1)).slice(-FILES_NAMED);
  const counted = ['packets', 'bytes', 'dropped', 'triggers'] as const;
  return {
    capturing: sum(reports, 'capturing'),
    counters: {
      ...Object.fromEntries(counted.map((key) => [key, sum(reports, key)])),
      // Of all files: `files` names the newest.
      files: sum(reports, 'finished'),
      sent: sum(reports, 'sent'),
    },
    nodes: reports.slice(0, NODES_NAMED).map(({ isLost: _lost, files: _files, ...node }) => ({ ...node })),
    files: newest.map((file) => ({ ...file })),
  };
}

type Count = 'packets' | 'bytes' | 'dropped' | 'triggers' | 'capturing' | 'finished' | 'sent';

function sum(reports: readonly NodeReport[], key: Count): number {
  return reports.reduce((total, report) => total + report[key], 0);
}

/** The verdict on a recording that is admitted and goes on. */
export function recording(
  capture: CaptureView,
  { pods, failed }: Placement,
  reports: readonly NodeReport[],
  problems: TargetProblems,
): Verdict {
  const status = recordingStatus(reports);
  const wanted = pods.length - failed.size;
  const nodes = reports.filter(({ capturing }) => capturing > 0).length;
  const words = `Recorded pods: ${status.capturing} of ${pods.length}, on nodes: ${nodes}.`;
  const ended = reports.length > 0 && reports.every(({ state }) => state === 'finished' || state === 'failed');
  const capturing: Condition =
    status.capturing > 0
      ? { type: 'Capturing', status: 'True', reason: 'Recording', message: words }
      : {
          type: 'Capturing',
          status: 'False',
          reason: ended ? 'Ended' : wanted === 0 ? 'NoPods' : 'Starting',
          message: words,
        };
  return {
    phase: reports.some(({ packets, capturing: count }) => count > 0 || packets > 0) ? 'Running' : 'Pending',
    conditions: [
      ...admittedConditions(),
      capturing,
      stored(capture, reports, false),
      degraded(reports, degradedReasons(failed, problems), problemWord(problems)),
      { type: 'Complete', status: 'False', reason: 'Running', message: '' },
    ],
    pods,
    failed,
    tickets: [],
    recording: status,
  };
}

/** The verdict on a recording that has ended; `complete` only when its files are where they belong. */
export function recordingEnded(
  capture: CaptureView,
  complete: Condition,
  reports: readonly NodeReport[],
  isOver: boolean,
): Verdict {
  const reason = isOver ? 'Complete' : 'Ending';
  return {
    phase: isOver ? 'Complete' : 'Running',
    conditions: [
      isOver ? complete : { ...complete, status: 'False', reason: 'Ending', message: 'The last files are finished.' },
      { type: 'Capturing', status: 'False', reason, message: 'Nothing is captured any more.' },
      stored(capture, reports, isOver),
      degraded(reports, isOver ? unfinished(reports) : []),
    ],
    pods: [],
    failed: new Map(),
    tickets: [],
    recording: recordingStatus(reports),
  };
}

/** Whether the files are where the user wants them. */
function stored(capture: CaptureView, reports: readonly NodeReport[], isOver: boolean): Condition {
  const destination = capture.recording?.destination ?? '';
  const files = sum(reports, 'finished');
  const say = (status: Condition['status'], reason: string, message: string): Condition => ({
    type: 'Stored',
    status,
    reason,
    message,
  });
  if (destination === NODE_DESTINATION) {
    const hours = KEEP_RECORDED_MS / 3_600_000;
    if (!isOver) return say('False', 'Recording', `${files} files are finished, on the disks of their nodes.`);
    return say('True', 'OnNodes', `${files} files are on the disks of their nodes, for ${hours} h.`);
  }
  const sent = sum(reports, 'sent');
  const words = `${sent} of ${files} finished files are in ${destination}.`;
  if (!isOver) return say('False', 'Recording', words);
  return sent === files ? say('True', 'Sent', words) : say('False', 'NotSent', words);
}

function unfinished(reports: readonly NodeReport[]): string[] {
  return reports
    .filter(({ state }) => !['finished', 'failed', 'lost'].includes(state))
    .map(({ node }) => `The agent on node ${node} did not confirm its end: what it has recorded may be missing.`);
}

/** @param word of the others, where nothing worse is to be said */
function degraded(reports: readonly NodeReport[], others: readonly string[], word = 'NotAsWanted'): Condition {
  const reasons = [...new Set([...others, ...reports.map(({ message }) => message)])].filter((text) => text !== '');
  if (reasons.length === 0) return { type: 'Degraded', status: 'False', reason: 'AsWanted', message: '' };
  const reason = reports.some(({ isLost }) => isLost) ? 'AgentLost' : word;
  return { type: 'Degraded', status: 'True', reason, message: reasons.join(' ') };
}
