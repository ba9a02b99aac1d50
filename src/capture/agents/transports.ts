import { AGENT_PORT } from '../../wire/session-frame.ts';
import { AGENT_NAMESPACE } from '../agent-objects.ts';
import type { Kube } from '../kube/kube.ts';
import { openPortForward } from '../kube/port-forward.ts';
import { EXEC_HANDSHAKE_MS, SESSION_HANDSHAKE_MS } from '../limits.ts';
import type { OpenTransport } from '../streams/transport.ts';
import { type AgentEndpoint, openExecConnection } from './exec-connection.ts';
import { resumingTransport } from './resuming-transport.ts';
import type { TransportPreference } from './transport-preference.ts';

export { agentless } from '../agentless/agentless-transport.ts';
export { openByExec } from './exec-transport.ts';
export { openOnce } from './once-transport.ts';

/** A session with the process of the agent that listens on its port. */
export function openByPortForward(kube: Kube, pod: string, preference: TransportPreference): OpenTransport {
  return resumingTransport({
    name: 'port-forward',
    dial: (signal) => openPortForward(kube, { namespace: AGENT_NAMESPACE, pod, port: AGENT_PORT }, signal),
    windowMs: preference.resumeWindowMs,
    compress: preference.compress,
    handshakeMs: SESSION_HANDSHAKE_MS,
  });
}

/** The same session over exec. */
export function openByRelay(
  kube: Kube,
  pod: string,
  endpoint: AgentEndpoint,
  preference: TransportPreference,
): OpenTransport {
  return resumingTransport({
    name: 'exec',
    dial: (signal) => openExecConnection(kube, pod, endpoint, signal),
    windowMs: preference.resumeWindowMs,
    compress: preference.compress,
    handshakeMs: EXEC_HANDSHAKE_MS,
  });
}
