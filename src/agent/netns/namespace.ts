import { closeSync, existsSync, fstatSync, openSync, readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { isAbsolute } from 'node:path';
import type { AgentTarget, PodAgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, systemCode } from '../../wire/errors.ts';
import { findLocalPod } from './local-pod.ts';
import type { PodProcess, Proc } from './proc.ts';

/** Name of this node, for people and for the hello. */
export const NODE_NAME = process.env.NODE_NAME ?? hostname();

/** A network namespace held open: it cannot change identity any more, whatever happens to the processes in it. */
export interface OpenNetns {
  readonly fd: number;
  readonly inode: number;
  /** First part of its interfaces' names: `shop/web-1`, `netns/client`, `node/worker-1`. */
  readonly name: string;
  readonly description: string;
  /** Names of its interfaces now, where a process shows them. */
  interfaces(): readonly string[] | undefined;
  /** Whether anything of the target still lives in it. */
  alive(): boolean;
  /** Milliseconds since the process by which it was found started, where it was found by one. */
  age(): number | undefined;
}

/** Where `ip netns` keeps its names (ip-netns(8)). */
const NAMED = ['/run/netns', '/var/run/netns'];

/**
 * Find a target's network namespace and open it. The caller closes the descriptor.
 * @param processes the pods' processes as `Proc.podProcesses` found them
 * @throws KsnoopError POD_HAS_NO_PROCESS, NO_SUCH_NAMESPACE, NO_SUCH_PROCESS, NO_INTERFACE, NOT_ALLOWED
 */
export function openNetns(target: AgentTarget, proc: Proc, processes: readonly PodProcess[]): OpenNetns {
  switch (target.kind) {
    case 'pod':
      return holdPod(target, proc, processes);
    case 'local-pod': {
      const pod = findLocalPod(target.namespace, target.pod);
      return holdPod({ ...target, kind: 'pod', uid: pod.uid, containers: [], hostNetwork: false }, proc, processes);
    }
    case 'host':
      return holdProcess(proc, 1, `node/${NODE_NAME}`, `node=${NODE_NAME}`);
    case 'pid':
      return holdProcess(proc, target.pid, `pid/${target.pid}`, `node=${NODE_NAME} pid=${target.pid}`);
    case 'netns':
      return holdNamed(target.name);
  }
}

function holdPod(target: PodAgentTarget, proc: Proc, processes: readonly PodProcess[]): OpenNetns {
  const label = `${target.namespace}/${target.pod}`;
  const containers = target.containers.map(({ name }) => name).join(',');
  const description = `node=${NODE_NAME} pod=${label} uid=${target.uid}${containers && ` containers=${containers}`}`;
  if (target.hostNetwork) {
    // With a filter of its own what is seen is the pod's; without, the whole node's.
    const name = target.filter === undefined ? `node/${NODE_NAME}` : label;
    return holdProcess(proc, 1, name, `${description} hostNetwork=true`);
  }
  const known = new Set(target.containers.map(({ id }) => id));
  const hostInode = proc.networkNamespace(1);
  const belongs = (process: PodProcess) => process.pod === target.uid || known.has(process.container);
  // The pause process, whose container the API does not name, outlives restarts of the others.
  const candidates = processes.filter(belongs).sort((a, b) => rank(a, known) - rank(b, known) || a.pid - b.pid);
  for (const candidate of candidates) {
    const started = proc.startTime(candidate.pid);
    const held = tryHold(proc, candidate.pid);
    if (held === undefined) continue;
    // Between the scan and the opening the pid may have become another process's.
    const same = started !== undefined && proc.startTime(candidate.pid) === started;
    if (!same || held.inode === hostInode) {
      closeSync(held.fd);
      continue;
    }
    const interfaces = proc.interfaces(candidate.pid);
    if (interfaces.every((name) => name === 'lo')) {
      closeSync(held.fd);
      throw new KsnoopError('NO_INTERFACE', `The network namespace of pod ${label} has no interface but lo.`, {
        hint: `Its CNI plugin has not set it up, or not yet: kubectl describe pod -n ${target.namespace} ${target.pod}`,
      });
    }
    let witness = candidate.pid;
    const alive = () => {
      if (proc.networkNamespace(witness) === held.inode) return true;
      const other = proc.podProcesses().find((p) => belongs(p) && proc.networkNamespace(p.pid) === held.inode);
      witness = other?.pid ?? witness;
      return other !== undefined;
    };
    const age = () => proc.age(candidate.pid);
    return { ...held, name: label, description, interfaces: () => proc.interfaces(witness), alive, age };
  }
  throw new KsnoopError('POD_HAS_NO_PROCESS', `Pod ${label} has no running process on node ${NODE_NAME}.`, {
    hint: `It may be starting, ending or crash-looping: kubectl get pod -n ${target.namespace} ${target.pod}`,
  });
}

function rank(process: PodProcess, known: ReadonlySet<string>): number {
  return known.has(process.container) ? 1 : 0;
}

function holdProcess(proc: Proc, pid: number, name: string, description: string): OpenNetns {
  const held = tryHold(proc, pid);
  if (held === undefined) {
    throw new KsnoopError('NO_SUCH_PROCESS', `There is no process ${pid} on ${NODE_NAME}, or it has ended.`, {
      hint: 'Look for it with: ps -e',
    });
  }
  const alive = () => pid === 1 || proc.networkNamespace(pid) === held.inode;
  return { ...held, name, description, interfaces: () => proc.interfaces(pid), alive, age: () => proc.age(pid) };
}

function tryHold(proc: Proc, pid: number): { fd: number; inode: number } | undefined {
  try {
    const fd = openSync(proc.path(pid, 'ns', 'net'), 'r');
    return { fd, inode: fstatSync(fd).ino };
  } catch (cause) {
    const code = systemCode(cause);
    if (code !== 'EACCES' && code !== 'EPERM') return undefined;
    throw new KsnoopError('NOT_ALLOWED', `The network namespace of process ${pid} may not be opened (${code}).`, {
      hint: 'The agent needs root with SYS_PTRACE and SYS_ADMIN, and an AppArmor profile that lets it: see daemonset/.',
      cause,
    });
  }
}

function holdNamed(name: string): OpenNetns {
  const path = isAbsolute(name)
    ? name
    : NAMED.map((directory) => `${directory}/${name}`).find((file) => existsSync(file));
  if (path === undefined || name.includes('../..')) throw noSuchNamespace(name);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    throw noSuchNamespace(name);
  }
  const inode = fstatSync(fd).ino;
  const alive = () => {
    try {
      return statSync(path).ino === inode;
    } catch {
      return false;
    }
  };
  const label = isAbsolute(name) ? name.split('/').filter(Boolean).join('/') : name;
  return {
    fd,
    inode,
    name: `netns/${label}`,
    description: `node=${NODE_NAME} netns=${path}`,
    interfaces: () => undefined,
    alive,
    age: () => undefined,
  };
}

function noSuchNamespace(name: string): KsnoopError {
  const names = NAMED.flatMap((directory) => {
    try {
      return readdirSync(directory);
    } catch {
      return [];
    }
  });
  return new KsnoopError('NO_SUCH_NAMESPACE', `There is no network namespace ${name} on ${NODE_NAME}.`, {
    hint: `Those with a name: ${[...new Set(names)].join(', ') || 'none (see ip netns)'}.`,
  });
}
