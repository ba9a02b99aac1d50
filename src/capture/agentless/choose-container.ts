import type { PodAgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { Kube } from '../kube/kube.ts';
import { hintBesideOwnContainers, isProbe, startEphemeral } from './ephemeral.ts';
import type { AgentlessPreference } from './preference.ts';
import { runInContainer } from './run-in-container.ts';
import { type AfterCapture, INSPECT_COMMAND, type Inspection, parseInspection } from './script.ts';
import { readProgram, upload } from './upload.ts';

interface Context {
  note(text: string): void;
  readonly signal: AbortSignal;
}

/** Where tcpdump runs for a pod. */
export interface ChosenContainer {
  readonly container: string;
  /** The program to run there. */
  readonly tcpdump: string;
  readonly after: AfterCapture;
}

/**
 * The container of a pod in which tcpdump runs: one that has it, a new one, or one that gets it.
 * @throws KsnoopError POD_WITHOUT_TCPDUMP, UPLOAD_NEEDS_PROGRAM, and as startEphemeral and upload do
 */
export async function chooseContainer(
  kube: Kube,
  target: PodAgentTarget,
  preference: AgentlessPreference,
  { note, signal }: Context,
): Promise<ChosenContainer> {
  const label = `${target.namespace}/${target.pod}`;
  const { mode } = preference;
  const program = mode === 'upload' ? await readProgram(preference.program) : undefined;
  const inspected = mode === 'ephemeral' ? [] : await inspectAll(kube, target, signal);
  if (mode === 'existing' || mode === 'auto') {
    const own = inspected.find(({ has }) => has.hasTcpdump && (mode === 'existing' || has.mayCapture !== false));
    if (own !== undefined) {
      note(`${label}: tcpdump of container ${own.container}`);
      return { container: own.container, tcpdump: 'tcpdump', after: 'nothing' };
    }
    if (mode === 'existing') {
      throw withoutTcpdump(label, await hintBesideOwnContainers(kube, target, preference.image, signal));
    }
  }
  if (program !== undefined) {
    const hint = () => hintBesideOwnContainers(kube, target, preference.image, signal);
    return uploaded(kube, target, { program, inspected, hint, signal, note });
  }
  let refusal: KsnoopError;
  try {
    const container = await startEphemeral(kube, target, preference.image, signal);
    note(`${label}: ephemeral container ${container}; its entry in the pod remains when it has ended`);
    return { container, tcpdump: 'tcpdump', after: 'end' };
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError) || mode !== 'auto' || preference.program === undefined) throw thrown;
    refusal = thrown;
  }
  try {
    const ofFile = await readProgram(preference.program);
    const hint = async () => refusal.hint;
    return await uploaded(kube, target, { program: ofFile, inspected, hint, signal, note });
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    const { hint } = thrown.code === 'AGENTLESS_REFUSED' ? refusal : thrown;
    throw new KsnoopError(refusal.code, `${refusal.message} ${thrown.message}`, { hint, cause: thrown });
  }
}

interface Inspected {
  readonly container: string;
  readonly has: Inspection;
}

/** Of the pod's own containers, those that an exec can look into: it takes a shell. */
async function inspectAll(kube: Kube, target: PodAgentTarget, signal: AbortSignal): Promise<Inspected[]> {
  const { namespace, pod } = target;
  const found: Inspected[] = [];
  for (const { name } of target.containers) {
    if (isProbe(name)) continue;
    const ran = await runInContainer(kube, { namespace, pod, container: name }, { command: INSPECT_COMMAND, signal });
    if (ran.code === 0) found.push({ container: name, has: parseInspection(ran.stdout) });
  }
  return found;
}

interface Upload extends Context {
  readonly program: Buffer;
  readonly inspected: readonly Inspected[];
  /** What to try where no container fits. */
  hint(): Promise<string | undefined>;
}

async function uploaded(
  kube: Kube,
  target: PodAgentTarget,
  { program, inspected, hint, signal, note }: Upload,
): Promise<ChosenContainer> {
  const { namespace, pod } = target;
  const fit = inspected.find(({ has }) => has.mayCapture === true);
  if (fit === undefined) throw cannotUpload(target, inspected, await hint());
  const { container, has } = fit;
  const path = await upload(kube, { namespace, pod, container }, { program, inspection: has, signal });
  note(`${namespace}/${pod}: tcpdump uploaded to ${path} of container ${container}`);
  return { container, tcpdump: path, after: 'remove' };
}

function cannotUpload(
  { namespace, pod }: PodAgentTarget,
  inspected: readonly Inspected[],
  hint: string | undefined,
): KsnoopError {
  const why =
    inspected.length === 0
      ? 'none of its containers has a shell'
      : 'no process in its containers may capture (it needs root with NET_RAW)';
  return new KsnoopError('AGENTLESS_REFUSED', `An uploaded tcpdump cannot run in pod ${namespace}/${pod}: ${why}.`, {
    hint,
  });
}

function withoutTcpdump(label: string, hint: string): KsnoopError {
  return new KsnoopError('POD_WITHOUT_TCPDUMP', `No container of pod ${label} has tcpdump and a shell.`, { hint });
}
