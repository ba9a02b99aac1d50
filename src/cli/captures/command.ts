import { type CaptureSummary, deleteCapture, listCaptures, stopCapture } from '../../capture/tenant/captures.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import { jsonLines } from '../../view/json-line.ts';
import { sanitise } from '../../view/sanitise.ts';
import { tableLines } from '../../view/table.ts';
import { byteSize, timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { openCluster } from '../cluster.ts';
import { logger, reportError } from '../logger.ts';
import { textOrJson } from '../usage.ts';
import { captureName } from './capture-name.ts';

export interface RawCapturesOptions {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly output?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

const COLUMNS = [
  { title: 'NAMESPACE' },
  { title: 'NAME' },
  { title: 'PHASE' },
  { title: 'TARGETS', shrinks: 'middle' },
  { title: 'PODS', right: true },
  { title: 'NODES', right: true },
  { title: 'RECORDED', right: true },
  { title: 'TRIGGERS', right: true },
  { title: 'REQUESTED BY', shrinks: 'middle' },
  { title: 'FILTER', shrinks: 'end' },
  { title: 'AGE', right: true },
  { title: 'DURATION', right: true },
  { title: 'REASON', shrinks: 'end' },
] as const;

/** `ksnoop captures` */
export async function capturesCommand(raw: RawCapturesOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'captures');
  const kube = await openCluster(raw);
  try {
    const namespace = raw.allNamespaces === true ? undefined : (raw.namespace ?? kube.namespace);
    const captures = await listCaptures(kube, namespace);
    if (form === 'json') process.stdout.write(`${jsonLines(captures)}\n`);
    else if (captures.length === 0) {
      const where = namespace === undefined ? 'the cluster' : `namespace ${namespace}`;
      logger({ quiet: false, verbose: false }).info(`there are no Captures in ${where}`);
    } else {
      const colours = new Colours(wantsColour(process.stdout, process.env));
      const rows = captures.map((capture) => rowOf(capture).map(sanitise));
      process.stdout.write(`${tableLines(COLUMNS, rows, process.stdout.columns, colours).join('\n')}\n`);
    }
    return EXIT.done;
  } finally {
    kube.close();
  }
}

function rowOf(capture: CaptureSummary): string[] {
  const { namespace, name, phase, targets, pods, requestedBy, filter, created, duration, reason, recording } = capture;
  const counts = `${recording?.capturing ?? pods.admitted}/${pods.wanted}`;
  const recorded =
    recording === undefined
      ? ['', '', '']
      : [
          String(recording.nodes),
          byteSize(recording.bytes),
          recording.triggers === undefined ? '' : String(recording.triggers),
        ];
  const age = timeSpan(Date.now() - Date.parse(created));
  // ksnoop writes seconds; who writes the object by hand may use 8h.
  const seconds = /^([0-9]{1,6})s$/.exec(duration)?.[1];
  const lasts = seconds === undefined ? duration : timeSpan(Number(seconds) * 1000);
  return [namespace, name, phase, targets.join(','), counts, ...recorded, requestedBy, filter, age, lasts, reason];
}

/**
 * `ksnoop stop` and `ksnoop delete`. One that fails does not keep the others from being ended.
 * @param words `capture/NAME`
 */
export async function endCapturesCommand(
  verb: 'stop' | 'delete',
  words: readonly string[],
  raw: RawCapturesOptions,
): Promise<ExitCode> {
  const names = words.map(captureName);
  const kube = await openCluster(raw);
  const { warn } = logger({ quiet: false, verbose: false });
  let exit: ExitCode = EXIT.done;
  try {
    const namespace = raw.namespace ?? kube.namespace;
    const end = verb === 'stop' ? stopCapture : deleteCapture;
    for (const name of names) {
      try {
        await end(kube, namespace, name);
        process.stdout.write(`capture/${name} ${verb === 'stop' ? 'stopped' : 'deleted'}\n`);
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        exit = reportError(thrown, warn);
      }
    }
    return exit;
  } finally {
    kube.close();
  }
}
