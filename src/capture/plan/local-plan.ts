import type { AgentTarget } from '../../wire/agent-target.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { PID_MAXIMUM } from '../../wire/limits.ts';
import { localTransport } from '../agents/local-transport.ts';
import type { NodePlan } from '../streams/node-stream.ts';

/** How local targets are written, for help and errors. */
const LOCAL_TARGETS = ['netns/NAME', 'pid/N', 'host', 'pod/NAME'] as const;

/**
 * Targets of this machine, without any API server: one plan with the agent as a child process.
 * @throws KsnoopError BAD_TARGET (exit 2)
 */
export function planLocal(words: readonly string[], namespace: string): NodePlan {
  return {
    cluster: '',
    node: 'this machine',
    targets: [...new Set(words)].map((word) => localTarget(word, namespace)),
    open: localTransport(),
    refresh: async (targets) => targets,
  };
}

function localTarget(word: string, namespace: string): AgentTarget {
  const [kind, ...rest] = word.split('/');
  const name = rest.join('/');
  if (word === 'host') return { key: word, kind: 'host' };
  if (kind === 'netns' && name !== '') return { key: word, kind: 'netns', name };
  if (kind === 'pid' && /^[1-9]\d{0,6}$/.test(name) && Number(name) <= PID_MAXIMUM) {
    return { key: word, kind: 'pid', pid: Number(name) };
  }
  if ((kind === 'pod' || kind === 'po' || kind === 'pods') && name !== '' && rest.length === 1) {
    return { key: word, kind: 'local-pod', namespace, pod: name };
  }
  throw new KsnoopError('BAD_TARGET', `Unknown local target "${word}".`, {
    hint: `With --local, targets are ${LOCAL_TARGETS.join(', ')}.`,
    exit: EXIT.usage,
  });
}
