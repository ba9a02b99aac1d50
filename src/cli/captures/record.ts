import { dump } from 'js-yaml';
import { createObject, endCapture, type MadeCapture } from '../../capture/tenant/capture-object.ts';
import { recordingObject } from '../../capture/tenant/recording-object.ts';
import { checkTrigger } from '../../run/where.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { openCluster } from '../cluster.ts';
import { type Logger, logger } from '../logger.ts';
import { shellWord } from '../shell-word.ts';
import { onStopSignals } from '../signals.ts';
import { usage } from '../usage.ts';
import { completeRecord, type RawRecordOptions } from './record-options.ts';
import { recordingStarted } from './recording-start.ts';

/** How long the API server may take to make the Capture, milliseconds. */
const CREATE_MS = 30_000;

/** `ksnoop record TARGET…`: make a Capture that records, and wait until it does. Where it does not begin, none is left. */
export async function recordCommand(words: readonly string[], raw: RawRecordOptions): Promise<ExitCode> {
  const { output = 'text' } = raw;
  if (!['text', 'yaml', 'json'].includes(output)) {
    throw usage(`record has no output "${output}".`, 'Its outputs are: text, yaml, json.');
  }
  if (raw.dryRun !== true && output !== 'text') throw usage(`-o ${output} shows the Capture of --dry-run.`);
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const abort = new AbortController();
  const release = onStopSignals((count) => {
    // It may hang where it clears up: the next one ends the process.
    if (count > 1) process.exit(EXIT.failed);
    log.info('Stopping… press Ctrl-C again to quit now');
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before the recording had begun.'));
  });
  const kube = await openCluster(raw);
  try {
    const wanted = completeRecord(words, raw, kube.namespace);
    await checkTrigger(wanted.trigger?.where);
    const object = await recordingObject(kube, wanted, abort.signal);
    if (raw.dryRun === true) {
      const text = output === 'json' ? `${JSON.stringify(object, undefined, 2)}\n` : dump(object);
      process.stdout.write(text);
      return EXIT.done;
    }
    abort.signal.throwIfAborted();
    // Not interrupted: a Capture that was made all the same could not be named, and would record.
    const made = await createObject(kube, object, deadlineSignal(CREATE_MS));
    if ((raw.wait ?? 'true') === 'false') {
      process.stdout.write(`capture/${made.name} created\n`);
      return EXIT.done;
    }
    log.info(`capture/${made.name} created: waiting until every pod is recorded`);
    try {
      const exit = await recordingStarted(kube, made, wanted.durationMs, log, abort.signal);
      process.stdout.write(`capture/${made.name} created\n`);
      return exit;
    } catch (thrown) {
      removed(await endCapture(kube, made), made, log);
      throw thrown;
    }
  } finally {
    kube.close();
    release();
  }
}

/** @param problem why the Capture could not be removed */
function removed(problem: string | undefined, { namespace, name }: MadeCapture, log: Logger): void {
  if (problem === undefined) log.info(`capture/${name} ended: nothing is recorded`);
  else {
    const command = `ksnoop delete capture/${name} -n ${shellWord(namespace)}`;
    log.warn(`capture/${name} stays, and may record until its duration has passed: ${problem}. End it: ${command}`);
  }
}
