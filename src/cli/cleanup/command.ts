import type { Kube } from '../../capture/kube/kube.ts';
import { jsonLines } from '../../view/json-line.ts';
import { sanitise } from '../../view/sanitise.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { openCluster } from '../cluster.ts';
import { logger, reportError } from '../logger.ts';
import { textOrJson } from '../usage.ts';
import { FINDERS } from './index.ts';

export interface RawCleanupOptions {
  readonly dryRun?: boolean;
  readonly output: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** The whole of it, a cluster that does not answer included. */
const ALL_MS = 60_000;

/** `ksnoop cleanup`: lists what it looks for and what it found, and removes that. Exits 1 when something could not be removed. */
export async function cleanupCommand(raw: RawCleanupOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'cleanup');
  const { warn, info } = logger({ quiet: form === 'json', verbose: false });
  const kube = await clusterOf(raw, warn);
  const signal = AbortSignal.timeout(ALL_MS);
  let exit: ExitCode = EXIT.done;
  const found: { what: string; why: string; removed: boolean }[] = [];
  try {
    for (const { looksFor, find } of FINDERS) {
      info(`looking for ${looksFor}`);
      for (const { what, why, remove } of await find({ kube, signal })) {
        const entry = { what, why, removed: false };
        found.push(entry);
        if (raw.dryRun) continue;
        try {
          await remove();
          entry.removed = true;
        } catch (thrown) {
          exit = reportError(thrown, warn);
        }
      }
    }
  } finally {
    kube?.close();
  }
  if (form === 'json') process.stdout.write(`${jsonLines(found)}\n`);
  else {
    for (const { what, why, removed } of found) {
      process.stdout.write(`${removed ? 'removed' : 'found'} ${sanitise(`${what}: ${why}`)}\n`);
    }
    if (found.length === 0) info('nothing was left behind');
  }
  return exit;
}

/** This machine is looked at also where there is no cluster. */
async function clusterOf(raw: RawCleanupOptions, print: (line: string) => void): Promise<Kube | undefined> {
  try {
    return await openCluster(raw);
  } catch (thrown) {
    // Asked for by name it has to be there.
    if (raw.kubeconfig !== undefined || raw.context !== undefined || !(thrown instanceof KsnoopError)) throw thrown;
    print(`the cluster is skipped: ${thrown.message}`);
    return undefined;
  }
}
