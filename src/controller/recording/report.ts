import { type JsonObject, objectsAt, optionalNumber, optionalString } from '../../wire/guard.ts';
import type { RecordingPiece } from '../../wire/recording.ts';
import type { CaptureView } from '../capture-object.ts';
import { MESSAGE_MAXIMUM } from '../limits.ts';
import type { NodeRecording, NodeRecordingParts } from './node-recording.ts';
import { fileName, fileUrl, resultsOf } from './uploads.ts';

/** A finished file of a recording, as a status has it. */
export interface ReportedFile {
  readonly name: string;
  readonly node: string;
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339; undefined without packets. */
  readonly first: string | undefined;
  readonly last: string | undefined;
  /** Where it is in a bucket or on a claim, without a signature; undefined while it is on its node only. */
  readonly url: string | undefined;
}

/** What is known of a recording on one node, by one agent. */
export interface NodeReport {
  readonly node: string;
  /** UID of the agent's pod. */
  readonly agent: string;
  /** As the agent has it; `lost` when it is gone. */
  readonly state: string;
  readonly isLost: boolean;
  readonly pods: number;
  readonly capturing: number;
  readonly packets: number;
  readonly bytes: number;
  readonly dropped: number;
  readonly triggers: number;
  /** Finished files, and those of them that are at their destination: more than `files` where only a status knows of them. */
  readonly finished: number;
  readonly sent: number;
  /** What is not as it should be, sentences; empty mostly. */
  readonly message: string;
  readonly files: readonly ReportedFile[];
}

/** What the agent answered last, and what keeps it from answering. */
export function reportOf(
  capture: CaptureView,
  { agent, state, problem }: NodeRecording,
  { destination }: NodeRecordingParts,
  known?: NodeReport,
): NodeReport {
  const messages: string[] = [];
  if (problem !== undefined) messages.push(problem.message);
  if (state === undefined) {
    const none = {
      pods: 0,
      capturing: 0,
      packets: 0,
      bytes: 0,
      dropped: 0,
      triggers: 0,
      finished: 0,
      sent: 0,
      files: [],
    };
    const { nodeName: node, uid } = agent;
    return {
      ...none,
      state: 'unknown',
      isLost: false,
      ...known,
      node,
      agent: uid,
      message: messages.join(' '),
    };
  }
  if (state.message !== undefined) messages.push(state.message);
  if (state.triggerProblem !== undefined) messages.push(state.triggerProblem);
  if (state.gaps > 0) messages.push(`It was interrupted ${state.gaps} times; the files state the gaps.`);
  messages.push(...state.pods.flatMap(({ message }) => (message === undefined ? [] : [message])));
  const failed = state.pieces.find(({ upload }) => upload?.state === 'failed')?.upload?.message;
  if (failed !== undefined) messages.push(`A file cannot be sent: ${failed}`);
  const to = destination();
  const file = (piece: RecordingPiece): ReportedFile => {
    const name = fileName(agent, piece.name);
    const isSent = typeof to === 'object' && piece.upload?.state === 'done';
    const { sha256, bytes } = piece;
    return {
      name,
      node: agent.nodeName,
      sha256,
      bytes,
      first: timeOf(piece.first),
      last: timeOf(piece.last),
      url: isSent ? fileUrl(to, capture, name) : undefined,
    };
  };
  const { pods, packets, bytes, dropped, triggers } = state;
  const files = resultsOf(capture, state).map(file);
  return {
    node: agent.nodeName,
    agent: agent.uid,
    state: state.state,
    isLost: false,
    pods: pods.length,
    capturing: pods.filter(({ capturing }) => capturing).length,
    packets,
    bytes,
    dropped,
    triggers,
    message: [...new Set(messages)].join(' ').slice(0, MESSAGE_MAXIMUM),
    finished: files.length,
    sent: files.filter(({ url }) => url !== undefined).length,
    files,
  };
}

/** The same, when the agent is gone with its disk: what is at a destination stays. Where all of it is there, nothing is lost. */
export function lostReport(report: NodeReport): NodeReport {
  if (report.isLost) return report;
  const files = report.files.filter(({ url }) => url !== undefined);
  const lost = report.finished - report.sent;
  if (lost === 0 && report.state === 'finished') return { ...report, pods: 0, capturing: 0 };
  const what = lost === 0 ? 'its unfinished file is lost' : `${lost} finished files are lost`;
  return {
    ...report,
    state: 'lost',
    isLost: true,
    pods: 0,
    capturing: 0,
    finished: report.sent,
    files,
    message: `The agent on node ${report.node} was replaced or removed: ${what}.`,
  };
}

/** What a status says of the nodes: how another controller left them. */
export function reportsOf(status: JsonObject): NodeReport[] {
  const files = objectsAt(status, 'files').map((file): ReportedFile => {
    const text = (key: string) => optionalString(file, key);
    return {
      name: text('name') ?? '',
      node: text('node') ?? '',
      sha256: text('sha256') ?? '',
      bytes: optionalNumber(file, 'bytes') ?? 0,
      first: text('first'),
      last: text('last'),
      url: text('url'),
    };
  });
  return objectsAt(status, 'nodes').flatMap((entry) => {
    const text = (key: string) => optionalString(entry, key) ?? '';
    const count = (key: string) => optionalNumber(entry, key) ?? 0;
    const [node, uid] = [text('node'), text('agent')];
    if (uid === '') return [];
    const prefix = fileName({ nodeName: node, uid }, '');
    const own = files.filter(({ name }) => name.startsWith(prefix));
    const report: NodeReport = {
      node,
      agent: uid,
      state: text('state'),
      isLost: text('state') === 'lost',
      pods: count('pods'),
      capturing: count('capturing'),
      packets: count('packets'),
      bytes: count('bytes'),
      dropped: count('dropped'),
      triggers: count('triggers'),
      // A controller before this one may have stated no counts.
      finished: Math.max(count('finished'), own.length),
      sent: Math.max(count('sent'), own.filter(({ url }) => url !== undefined).length),
      message: text('message'),
      files: own,
    };
    return [report];
  });
}

/** @param nanoseconds since 1970, decimal @returns RFC 3339 with milliseconds */
function timeOf(nanoseconds: string | null): string | undefined {
  if (nanoseconds === null) return undefined;
  const date = new Date(Number(BigInt(nanoseconds) / 1_000_000n));
  return Number.isFinite(date.getTime()) ? date.toISOString() : undefined;
}
