import type { WantedRecording } from '../../capture/tenant/recording-object.ts';
import { commaList } from '../../run/capture/target-query.ts';
import { PIECE_BYTES, RECORDING_BYTES, RING_FILES } from '../../wire/recording.ts';
import { usage } from '../usage.ts';
import { durationOf, sizeOf, snaplenOf } from '../values.ts';

/** What commander hands over for `ksnoop record`, before it is believed. */
export interface RawRecordOptions {
  readonly namespace?: string;
  readonly filter?: string;
  readonly snaplen?: string;
  readonly duration?: string;
  readonly ring?: string;
  readonly bytes?: string;
  readonly trigger?: string;
  readonly before?: string;
  readonly after?: string;
  readonly to?: string;
  readonly name?: string;
  readonly wholeNode?: boolean;
  readonly dryRun?: boolean;
  readonly output?: string;
  readonly wait?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** How long a recording runs without --duration. */
const DURATION_DEFAULT = '1h';
/** Longest time before and after an exchange (daemonset/captures/crd.yaml), milliseconds. */
const TRIGGER_TIME_MS = 600_000;
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/**
 * Complete and validate what the user typed.
 * @param words targets, KIND/NAME
 * @param namespace of the context
 * @throws KsnoopError USAGE (exit 2)
 */
export function completeRecord(words: readonly string[], raw: RawRecordOptions, namespace: string): WantedRecording {
  const targets = words.flatMap((word) => word.split(','));
  const bad = targets.find((target) => !/^[a-z][a-z0-9.-]*\/[^/\s,]+$/.test(target));
  if (bad !== undefined) {
    throw usage(
      `"${bad}" is not KIND/NAME.`,
      'A recording has targets of one namespace: svc/web, deploy/api, pod/web-1',
    );
  }
  if (commaList(raw.namespace ?? 'x').length !== 1) throw usage('-n takes one namespace: a Capture is in one.');
  if (raw.trigger === undefined && (raw.before !== undefined || raw.after !== undefined)) {
    throw usage('--before and --after are of a trigger.', "Add --trigger, such as --trigger 'http.status >= 500'.");
  }
  if (raw.name !== undefined && !NAME.test(raw.name)) throw usage(`"${raw.name}" cannot be the name of a Capture.`);
  if (raw.filter === '' || raw.filter?.startsWith('-') === true) {
    throw usage('-f takes a filter in the language of pcap-filter(7).');
  }
  return {
    namespace: raw.namespace ?? namespace,
    name: raw.name,
    targets,
    filter: raw.filter,
    snaplen: raw.snaplen === undefined ? undefined : snaplenOf(raw.snaplen),
    hostNetwork: raw.wholeNode === true,
    durationMs: durationOf(raw.duration ?? DURATION_DEFAULT, '--duration'),
    bytes: raw.bytes === undefined ? undefined : bytesOf(raw.bytes),
    ring: raw.ring === undefined ? undefined : ringOf(raw.ring),
    trigger: raw.trigger === undefined ? undefined : triggerOf(raw.trigger, raw),
    destination: raw.to ?? 'node',
  };
}

/** `24x50M` @throws KsnoopError USAGE */
function ringOf(text: string): { files: number; fileBytes: number } {
  const [, count = '', size = ''] = /^(\d{1,4})x(.+)$/.exec(text) ?? [];
  const files = Number(count);
  if (files < RING_FILES.minimum || files > RING_FILES.maximum) {
    throw usage(`--ring takes 2 to ${RING_FILES.maximum} files and their size, such as 24x50M, not "${text}".`);
  }
  // A number without a unit means bytes: the unit was forgotten.
  if (/^\d+$/.test(size) && Number(size) < PIECE_BYTES.minimum) {
    throw usage(`--ring ${text}: the size of a file has no unit.`, `For megabytes: --ring ${text}M`);
  }
  const fileBytes = sizeOf(size, '--ring');
  if (fileBytes < PIECE_BYTES.minimum || fileBytes > PIECE_BYTES.maximum) {
    throw usage(`--ring takes files of 1Mi to 1Gi, such as 24x50M, not "${text}".`);
  }
  return { files, fileBytes };
}

/** @throws KsnoopError USAGE */
function bytesOf(text: string): number {
  const bytes = sizeOf(text, '--bytes');
  if (bytes >= RECORDING_BYTES.minimum && bytes <= RECORDING_BYTES.maximum) return bytes;
  throw usage(`--bytes takes 1Mi to 1024Gi, not "${text}".`);
}

/** @throws KsnoopError USAGE */
function triggerOf(where: string, { before, after }: RawRecordOptions) {
  if (where === '') throw usage("--trigger takes an expression, such as 'http.status >= 500'.", 'ksnoop help fields');
  const time = (text: string, flag: string) => {
    const milliseconds = /^0+(s|m|h)?$/.test(text) ? 0 : durationOf(text, flag);
    if (milliseconds <= TRIGGER_TIME_MS) return milliseconds;
    throw usage(`${flag} takes 0s to 10m, not "${text}".`);
  };
  return {
    where,
    ...(before !== undefined && { beforeMs: time(before, '--before') }),
    ...(after !== undefined && { afterMs: time(after, '--after') }),
  };
}
