import { AGENT_CONTAINER, AGENT_NAMESPACE } from '../agent-objects.ts';
import { openExec } from '../kube/exec.ts';
import type { Kube } from '../kube/kube.ts';
import type { OpenTransport } from '../streams/transport.ts';

/**
 * Starts `ksnoop-agent capture` in an agent pod by exec. Its stdin, stdout and stderr carry the session, so the session ends
 * with the connection.
 */
export function openByExec(kube: Kube, pod: string): OpenTransport {
  return async (handlers, signal) => {
    const stream = await openExec(
      kube,
      {
        namespace: AGENT_NAMESPACE,
        pod,
        container: AGENT_CONTAINER,
        command: ['ksnoop-agent', 'capture'],
        stdin: true,
        onStdout: (bytes) => handlers.stdout(bytes),
        onStderr: (bytes) => handlers.stderr(bytes),
      },
      signal,
    );
    return {
      name: 'exec',
      write: (text) => void stream.write(text),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      ended: stream.ended,
      terminate: () => stream.terminate(),
    };
  };
}
