import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError } from '../../wire/errors.ts';
import { RESUME_WINDOW_MINIMUM_MS } from '../../wire/limits.ts';
import { AGENT_PORT } from '../../wire/session-frame.ts';
import { AGENT_NAMESPACE } from '../agent-objects.ts';
import { startNodeJob } from '../agentless/node-job.ts';
import type { Kube } from '../kube/kube.ts';
import { openPortForward } from '../kube/port-forward.ts';
import { ONCE_LOOK_MS, PROBE_START_MS, SESSION_HANDSHAKE_MS } from '../limits.ts';
import type { AgentTransport, OpenTransport } from '../streams/transport.ts';
import { resumingTransport } from './resuming-transport.ts';
import { SessionKey } from './session-key.ts';
import type { TransportPreference } from './transport-preference.ts';

interface OncePreference extends Pick<TransportPreference, 'compress'> {
  /** The agent's image; undefined: the one that the node has. */
  readonly image: string | undefined;
}

/**
 * A session with an agent that is started on the node for it, and removed with it. Where this program is killed, the agent ends
 * the session after the least resume window, and then itself.
 */
export function openOnce(kube: Kube, node: string, { image, compress }: OncePreference): OpenTransport {
  return async (handlers, signal) => {
    const key = new SessionKey();
    const job = await startNodeJob(kube, { node, image, key: key.public }, signal);
    const remove = async () => {
      const failure = await job.remove();
      if (failure === undefined) return;
      handlers.note?.(`the agent's pod ${job.pod} could not be removed and ends by itself: ${failure}`);
    };
    const open = resumingTransport({
      name: 'port-forward',
      dial: (until) => openPortForward(kube, { namespace: AGENT_NAMESPACE, pod: job.pod, port: AGENT_PORT }, until),
      windowMs: RESUME_WINDOW_MINIMUM_MS,
      compress,
      key,
      handshakeMs: SESSION_HANDSHAKE_MS,
    });
    try {
      const transport = await untilItListens(() => open(handlers, signal), signal);
      return removedAtEnd(transport, remove);
    } catch (thrown) {
      await remove();
      throw thrown;
    }
  };
}

/** A container that has just started does not listen yet. */
async function untilItListens(open: () => Promise<AgentTransport>, signal: AbortSignal): Promise<AgentTransport> {
  const deadline = performance.now() + PROBE_START_MS;
  for (;;) {
    try {
      return await open();
    } catch (thrown) {
      const code = thrown instanceof KsnoopError ? thrown.code : undefined;
      const isEarly = code === 'PORT_FORWARD_FAILED' || code === 'NO_AGENT_AT_PORT';
      if (!isEarly || performance.now() > deadline) throw thrown;
      await sleep(ONCE_LOOK_MS, undefined, { signal });
    }
  }
}

function removedAtEnd(transport: AgentTransport, remove: () => Promise<void>): AgentTransport {
  return {
    name: 'port-forward',
    ...(transport.silenceMs !== undefined && { silenceMs: transport.silenceMs }),
    ended: transport.ended.then(async (end) => {
      await remove();
      return end;
    }),
    ...(transport.openingSent !== undefined && { openingSent: transport.openingSent }),
    write: (text) => transport.write(text),
    pause: () => transport.pause(),
    resume: () => transport.resume(),
    terminate: () => transport.terminate(),
  };
}
