import type { PodAgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { openExec } from '../kube/exec.ts';
import type { Kube } from '../kube/kube.ts';
import { startEphemeral } from './ephemeral.ts';
import type { AgentlessPreference } from './preference.ts';
import { CHECK_COMMAND } from './script.ts';

interface Context {
  note(text: string): void;
  readonly signal: AbortSignal;
}

/**
 * The container of a pod in which tcpdump runs: one that has it, or a new one.
 * @returns its name, and whether it was made for this capture alone
 * @throws KsnoopError POD_WITHOUT_TCPDUMP, and as startEphemeral does
 */
export async function chooseContainer(
  kube: Kube,
  target: PodAgentTarget,
  { mode, image }: AgentlessPreference,
  { note, signal }: Context,
): Promise<{ readonly container: string; readonly isOwn: boolean }> {
  const label = `${target.namespace}/${target.pod}`;
  if (mode !== 'ephemeral') {
    for (const { name } of target.containers) {
      if (await hasTcpdump(kube, target, name, signal)) {
        note(`${label}: tcpdump of container ${name}`);
        return { container: name, isOwn: false };
      }
    }
    if (mode === 'existing') {
      throw new KsnoopError('POD_WITHOUT_TCPDUMP', `No container of pod ${label} has tcpdump and a shell.`, {
        hint: 'Use an ephemeral container: --agentless=ephemeral',
      });
    }
  }
  const container = await startEphemeral(kube, target, image, signal);
  note(`${label}: ephemeral container ${container}; its entry in the pod remains when it has ended`);
  return { container, isOwn: true };
}

async function hasTcpdump(
  kube: Kube,
  { namespace, pod }: PodAgentTarget,
  container: string,
  signal: AbortSignal,
): Promise<boolean> {
  const nothing = () => {};
  const stream = await openExec(
    kube,
    { namespace, pod, container, command: CHECK_COMMAND, stdin: false, onStdout: nothing, onStderr: nothing },
    signal,
  );
  const end = await stream.ended;
  if (end.kind === 'lost') throw end.error;
  return end.kind === 'exited' && end.code === 0;
}
