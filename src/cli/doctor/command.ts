import type { Kube } from '../../capture/kube/kube.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import { findingLines } from '../../view/findings.ts';
import { jsonLines } from '../../view/json-line.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { openCluster } from '../cluster.ts';
import { textOrJson } from '../usage.ts';
import { type Finding, findings } from './check.ts';
import { CHECKS } from './index.ts';

export interface RawDoctorOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly output: string;
}

/** Together the checks end by then, whatever does not answer. */
const ALL_MS = 60_000;

/** `ksnoop doctor`: what is wrong, and the command that fixes it. Exits 1 when something stops captures. */
export async function doctorCommand(raw: RawDoctorOptions): Promise<ExitCode> {
  const form = textOrJson(raw.output, 'doctor');
  const { kube, found } = await reachable(raw);
  const signal = AbortSignal.timeout(ALL_MS);
  const surroundings = { kube, namespace: raw.namespace ?? kube?.namespace ?? 'default', signal };
  try {
    for (const check of CHECKS) {
      try {
        found.push(...(await check.look(surroundings)));
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        found.push(findings(check.name).problem(thrown.message, thrown.hint));
      }
    }
  } finally {
    kube?.close();
  }
  const lines =
    form === 'json' ? [jsonLines(found)] : findingLines(found, new Colours(wantsColour(process.stdout, process.env)));
  process.stdout.write(`${lines.join('\n')}\n`);
  return found.some(({ state }) => state === 'problem') ? EXIT.failed : EXIT.done;
}

/** The kubeconfig is the first thing that can be wrong. */
async function reachable(raw: RawDoctorOptions): Promise<{ kube: Kube | undefined; found: Finding[] }> {
  const finding = findings('kubeconfig');
  try {
    const kube = await openCluster(raw);
    return { kube, found: [finding.ok(`context ${kube.context}, namespace ${kube.namespace}, ${kube.auth}`)] };
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    return { kube: undefined, found: [finding.problem(thrown.message, thrown.hint)] };
  }
}
