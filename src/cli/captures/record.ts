import { dump } from 'js-yaml';
import type { Kube } from '../../capture/kube/kube.ts';
import {
  captureRightHint,
  conditionOf,
  createObject,
  type MadeCapture,
  phaseOf,
} from '../../capture/tenant/capture-object.ts';
import { recordingObject } from '../../capture/tenant/recording-object.ts';
import { RecordingWatch } from '../../capture/tenant/recording-watch.ts';
import { whereExpression } from '../../run/where.ts';
import { counted, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, objectsAt, optionalNumber, optionalString } from '../../wire/guard.ts';
import { openCluster } from '../cluster.ts';
import { type Logger, logger } from '../logger.ts';
import { shellWord } from '../shell-word.ts';
import { onStopSignals } from '../signals.ts';
import { usage } from '../usage.ts';
import { completeRecord, type RawRecordOptions } from './record-options.ts';

/** How long the beginning of a recording is waited for, milliseconds. */
const START_MS = 60_000;

/** `ksnoop record TARGET…`: make a Capture that records, and wait until it does. */
export async function recordCommand(words: readonly string[], raw: RawRecordOptions): Promise<ExitCode> {
  const { output = 'text' } = raw;
  if (!['text', 'yaml', 'json'].includes(output)) {
    throw usage(`record has no output "${output}".`, 'Its outputs are: text, yaml, json.');
  }
  if (raw.dryRun !== true && output !== 'text') throw usage(`-o ${output} shows the Capture of --dry-run.`);
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  const kube = await openCluster(raw);
  try {
    const wanted = completeRecord(words, raw, kube.namespace);
    await whereExpression(wanted.trigger?.where);
    const object = await recordingObject(kube, wanted, abort.signal);
    if (raw.dryRun === true) {
      const text = output === 'json' ? `${JSON.stringify(object, undefined, 2)}\n` : dump(object);
      process.stdout.write(text);
      return EXIT.done;
    }
    const made = await createObject(kube, object, abort.signal);
    process.stdout.write(`capture/${made.name} created\n`);
    const wait = raw.wait ?? 'true';
    if (wait === 'false') return EXIT.done;
    return await started(kube, made, wanted.durationMs, log, abort.signal);
  } finally {
    kube.close();
    release();
  }
}

/** Wait until every pod is recorded, or it is certain that some are not. */
async function started(
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
    const admitted = conditionOf(now, 'Admitted');
    if (admitted.status === 'False') {
      const end = `The object stays: ksnoop delete capture/${made.name} -n ${shellWord(made.namespace)}`;
      const hint = admitted.reason === 'Forbidden' ? `${captureRightHint(made.namespace)} ${end}` : end;
      throw new KsnoopError('CAPTURE_REFUSED', `The controller does not admit the recording: ${admitted.message}`, {
        hint,
      });
    }
    if (phaseOf(now) === '') {
      const name = `${made.namespace}/${made.name}`;
      throw new KsnoopError(
        'CONTROLLER_SILENT',
        `The controller has not looked at Capture ${name} within ${START_MS / 1000} s.`,
        {
          hint: 'An administrator sees whether it runs: kubectl -n ksnoop get deployment ksnoop-controller',
        },
      );
    }
    return describe(now, made, durationMs, log);
  } finally {
    watch.close();
  }
}

/** The status where nothing more is to be waited for. */
function settled(status: JsonObject): JsonObject | undefined {
  if (conditionOf(status, 'Admitted').status === 'False') return status;
  const targets = objectAt(status, 'targets');
  const count = (key: string) => optionalNumber(targets, key) ?? 0;
  const isWhole = count('wanted') > 0 && count('capturing') + count('failed') >= count('wanted');
  const hasNone = conditionOf(status, 'Capturing').reason === 'NoPods';
  return isWhole || hasNone ? status : undefined;
}

function describe(status: JsonObject, made: MadeCapture, durationMs: number, log: Logger): ExitCode {
  for (const entry of objectsAt(status, 'nodes')) {
    const pods = optionalNumber(entry, 'capturing') ?? 0;
    log.info(`node ${optionalString(entry, 'node') ?? ''}: ${counted(pods, 'pod')} recorded`);
  }
  const namespace = `-n ${shellWord(made.namespace)}`;
  const capturing = conditionOf(status, 'Capturing');
  log.info(`${capturing.message} It ends after ${timeSpan(durationMs)}.`);
  log.info(`progress: ksnoop captures ${namespace}; to end it: ksnoop stop capture/${made.name} ${namespace}`);
  log.info(`to get its files, at any time: ksnoop get capture/${made.name} ${namespace} -w ${made.name}.pcapng`);
  const degraded = conditionOf(status, 'Degraded');
  if (degraded.status === 'True') log.warn(degraded.message);
  else if (capturing.status !== 'True' && capturing.reason !== 'NoPods') {
    log.warn('Not all pods are recorded yet: the Capture stays, and ksnoop captures shows it.');
  } else if (capturing.reason === 'NoPods')
    log.warn('The targets have no pods yet: they are recorded when they start.');
  else return EXIT.done;
  return EXIT.partial;
}
