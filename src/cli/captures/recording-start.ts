import type { Kube } from '../../capture/kube/kube.ts';
import { captureRightHint, conditionOf, type MadeCapture, phaseOf } from '../../capture/tenant/capture-object.ts';
import { RecordingWatch } from '../../capture/tenant/recording-watch.ts';
import { counted, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalNumber, optionalString } from '../../wire/guard.ts';
import type { Logger } from '../logger.ts';
import { shellWord } from '../shell-word.ts';

/** How long the beginning of a recording is waited for, milliseconds. */
const START_MS = 60_000;

/**
 * Wait until every pod is recorded, or it is certain that some are not.
 * @returns `partial` where some pods are not recorded, or there are none yet
 * @throws KsnoopError where nothing is recorded and nothing will be: CAPTURE_REFUSED, CONTROLLER_SILENT, NO_SUCH_TARGET,
 * NOTHING_CAPTURED; the signal's reason
 */
export async function recordingStarted(
  kube: Kube,
  made: MadeCapture,
  durationMs: number,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  const watch = new RecordingWatch(kube, made);
  try {
    const status = await watch.until((object) => settled(objectAt(object, 'status')), START_MS, signal);
    const now = status ?? watch.status;
    const failure = failureOf(now, made);
    if (failure !== undefined) throw failure;
    return describe(now, made, durationMs, log);
  } finally {
    watch.close();
  }
}

/** The status where nothing more is to be waited for. */
function settled(status: JsonObject): JsonObject | undefined {
  if (conditionOf(status, 'Admitted').status === 'False') return status;
  const { wanted, capturing, failed } = countsOf(status);
  const isWhole = wanted > 0 && capturing + failed >= wanted;
  const hasNone = ['NoPods', 'Ended'].includes(conditionOf(status, 'Capturing').reason);
  return isWhole || hasNone ? status : undefined;
}

function countsOf(status: JsonObject) {
  const targets = objectAt(status, 'targets');
  const count = (key: string) => optionalNumber(targets, key) ?? 0;
  return { wanted: count('wanted'), capturing: count('capturing'), failed: count('failed') };
}

function packetsOf(status: JsonObject): number {
  return optionalNumber(objectAt(status, 'counters'), 'packets') ?? 0;
}

/** Why nothing is recorded; undefined where something is, or will be when the first pod starts. */
function failureOf(status: JsonObject, { namespace, name }: MadeCapture): KsnoopError | undefined {
  const admitted = conditionOf(status, 'Admitted');
  if (admitted.status === 'False') {
    return new KsnoopError('CAPTURE_REFUSED', `The controller does not admit the recording: ${admitted.message}`, {
      hint: admitted.reason === 'Forbidden' ? captureRightHint(namespace) : undefined,
    });
  }
  if (phaseOf(status) === '') {
    const what = `The controller has not looked at Capture ${namespace}/${name} within ${START_MS / 1000} s.`;
    return new KsnoopError('CONTROLLER_SILENT', what, {
      hint: 'An administrator sees whether it runs: kubectl -n ksnoop get deployment ksnoop-controller',
    });
  }
  // One that has ended already, because its bytes were full at once, has recorded what it was to record.
  if (countsOf(status).capturing > 0 || packetsOf(status) > 0) return undefined;
  const degraded = conditionOf(status, 'Degraded');
  if (degraded.reason === 'TargetsNotFound') {
    return new KsnoopError('NO_SUCH_TARGET', degraded.message, {
      hint: `List targets: kubectl get all -n ${namespace}`,
    });
  }
  const { reason, message } = conditionOf(status, 'Capturing');
  if (reason === 'NoPods' && countsOf(status).failed === 0) return undefined;
  return new KsnoopError('NOTHING_CAPTURED', `No pod is recorded: ${degraded.message || message}`);
}

function describe(status: JsonObject, made: MadeCapture, durationMs: number, log: Logger): ExitCode {
  for (const entry of objectsAt(status, 'nodes')) {
    const pods = optionalNumber(entry, 'capturing') ?? 0;
    log.info(`node ${optionalString(entry, 'node') ?? ''}: ${counted(pods, 'pod')} recorded`);
  }
  const namespace = `-n ${shellWord(made.namespace)}`;
  const capturing = conditionOf(status, 'Capturing');
  const isRecorded = capturing.status === 'True';
  log.info(`${isRecorded ? 'recording. ' : ''}${capturing.message} It ends after ${timeSpan(durationMs)}.`);
  log.info(`progress: ksnoop captures ${namespace}; to end it: ksnoop stop capture/${made.name} ${namespace}`);
  log.info(`to get its files, at any time: ksnoop get capture/${made.name} ${namespace} -w ${made.name}.pcapng`);
  const degraded = conditionOf(status, 'Degraded');
  const { wanted, capturing: pods, failed } = countsOf(status);
  if (degraded.status === 'True') log.warn(degraded.message);
  if (capturing.reason === 'Ended') log.warn('It has ended already: its bytes are used (--bytes).');
  else if (!isRecorded) log.warn('The targets have no pods yet: they are recorded when they start.');
  else if (pods + failed < wanted) {
    log.warn('Not all pods are recorded yet: the Capture stays, and ksnoop captures shows it.');
  } else if (degraded.status !== 'True') return EXIT.done;
  return EXIT.partial;
}
