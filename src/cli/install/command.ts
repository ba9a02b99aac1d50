import { dump } from 'js-yaml';
import { install, plannedObjects } from '../../capture/install/install.ts';
import { status } from '../../capture/install/status.ts';
import { uninstall } from '../../capture/install/uninstall.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import { statusLines } from '../../view/install-status.ts';
import { jsonLines } from '../../view/json-line.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { openCluster } from '../cluster.ts';
import { logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { textOrJson } from '../usage.ts';
import { durationOf } from '../values.ts';
import { skewAdvice, skewOf } from '../version/skew.ts';
import { completeObservation, type RawObserveOptions } from './observe-options.ts';

/** What commander hands over for install and status. */
export interface RawInstallOptions extends RawObserveOptions, RawClusterOptions {
  readonly image?: string;
  readonly pullSecret?: string[];
  readonly overlay?: string;
  readonly captures?: boolean;
  readonly timeout?: string;
  readonly dryRun?: boolean;
  readonly output?: string;
}

/** What commander hands over for uninstall. */
export interface RawUninstallOptions extends RawClusterOptions {
  readonly observe?: boolean;
}

interface RawClusterOptions {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly quiet?: boolean;
}

/** `ksnoop install` */
export async function installCommand(raw: RawInstallOptions): Promise<ExitCode> {
  const timeoutMs = raw.timeout === undefined ? undefined : durationOf(raw.timeout, '--timeout');
  return withKube(raw, async (kube, signal) => {
    const { info, warn } = logger({ quiet: raw.quiet === true, verbose: false });
    const { image, pullSecret: pullSecrets, overlay, captures } = raw;
    const observe = completeObservation(raw, kube.namespace);
    const options = { kube, image, pullSecrets, overlay, captures, observe, timeoutMs, signal };
    if (raw.dryRun === true) {
      const objects = await plannedObjects(options, info);
      process.stdout.write(objects.map((object) => `---\n${dump(object, { noRefs: true })}`).join(''));
      return EXIT.done;
    }
    const result = await install(options, info);
    warn(`the agents are installed: ${result.ready} of ${result.desired} nodes ready, image ${result.image}`);
    if (result.captures !== undefined)
      warn('the agents take tickets only: users capture with Captures (docs/tenants.md)');
    if (result.observe !== undefined) warn(`observing ${result.observe.targets.join(' ')}: see ksnoop status`);
    return EXIT.done;
  });
}

/** `ksnoop uninstall` */
export function uninstallCommand(raw: RawUninstallOptions): Promise<ExitCode> {
  return withKube(raw, async (kube, signal) => {
    const { info, warn } = logger({ quiet: raw.quiet === true, verbose: false });
    const removed = await uninstall({ kube, signal, observeOnly: raw.observe }, info);
    const nothing = raw.observe === true ? 'no observation was installed' : 'nothing of ksnoop was installed';
    warn(removed.length === 0 ? nothing : `removed ${removed.length} objects`);
    return EXIT.done;
  });
}

/** `ksnoop status`: prints to stdout, because it is the result. Exits 1 when agents are missing or not ready. */
export async function statusCommand(raw: RawInstallOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'status');
  return withKube(raw, async (kube, signal) => {
    const result = await status(kube, signal);
    const colours = new Colours(wantsColour(process.stdout, process.env));
    const skew = result.installed ? skewOf(VERSION, result.version) : undefined;
    const next = skew === undefined ? undefined : skewAdvice(skew, result.version);
    const lines =
      form === 'json'
        ? [jsonLines({ ...result, skew })]
        : [...statusLines(result, colours), ...(next === undefined ? [] : [next])];
    process.stdout.write(`${lines.join('\n')}\n`);
    return result.installed && result.ready >= result.desired ? EXIT.done : EXIT.failed;
  });
}

async function withKube(
  raw: RawClusterOptions,
  act: (kube: Kube, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const abort = new AbortController();
  const release = onStopSignals(() => {
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted.'));
    // A second signal ends the process.
    release();
  });
  try {
    const kube = await openCluster(raw);
    try {
      return await act(kube, abort.signal);
    } finally {
      kube.close();
    }
  } finally {
    release();
  }
}
