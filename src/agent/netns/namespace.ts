import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import type { AgentTarget, PodAgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, systemCode } from '../../wire/errors.ts';
import { isPodUid } from './cgroup.ts';
import { findLocalPod } from './local-pod.ts';
import { isInCluster, NODE_NAME } from './node.ts';
import type { PodProcess, Proc } from './proc.ts';

/** A network namespace held open: it cannot change identity any more, whatever happens to the processes in it. */
export interface OpenNetns {
  readonly fd: number;
  readonly inode: number;
  /** The process it was found by, with pod and container by its cgroup; undefined for a process of no pod. */
  readonly owner: PodProcess | undefined;
  /** Network namespaces of the same pod besides this one and the host's. */
  readonly others: number;
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

/** Opening a FIFO without O_NONBLOCK waits for its other end. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** f_type of the file system that namespaces are files of (linux/magic.h, NSFS_MAGIC). */
const NSFS_MAGIC = 0x6e736673;

/** Where `ip netns` keeps its names (ip-netns(8)). */
const NAMED = ['/run/netns', '/var/run/netns'];

/**
 * Find a target's network namespace and open it. The caller closes the descriptor.
 * @param processes the pods' processes as `Proc.podProcesses` found them
 * @throws KsnoopError POD_HAS_NO_PROCESS, NO_SUCH_NAMESPACE, NO_SUCH_PROCESS, NO_INTERFACE, NOT_ALLOWED
 */
export function openNetns(target: AgentTarget, proc: Proc, processes: readonly PodProcess[]): OpenNetns {
  // Who may reach an agent may capture pods and nodes, not look around in the host's files and processes.
  if (isInCluster() && target.kind !== 'pod' && target.kind !== 'host') {
    throw new KsnoopError('NOT_ALLOWED', `An agent in a cluster captures pods and its node, not a ${target.kind}.`, {
      hint: 'Run ksnoop --local on the node itself.',
    });
  }
  const opened = openTarget(target, proc, processes);
  // A capture of the agent's own pod would capture its own stream, and so grow without end.
  if (isInCluster() && opened.inode === proc.networkNamespace('self') && opened.inode !== proc.networkNamespace(1)) {
    closeSync(opened.fd);
    throw new KsnoopError('NOT_ALLOWED', `The agent does not capture its own network, that of ${opened.name}.`, {
      hint: 'Its packets are those of the captures themselves. Leave the pods of ksnoop-agent out.',
    });
  }
  return opened;
}

function openTarget(target: AgentTarget, proc: Proc, processes: readonly PodProcess[]): OpenNetns {
  switch (target.kind) {
    case 'pod':
      return openPod(target, proc, processes);
    case 'local-pod': {
      const pod = findLocalPod(target.namespace, target.pod);
      return openPod({ ...target, kind: 'pod', uid: pod.uid, containers: [], hostNetwork: false }, proc, processes);
    }
    case 'host':
      return openProcess(proc, 1, `node/${NODE_NAME}`, `node=${NODE_NAME}`);
    case 'pid':
      return openProcess(proc, target.pid, `pid/${target.pid}`, `node=${NODE_NAME} pid=${target.pid}`);
    case 'netns':
      return openNamed(target.name);
  }
}

function openPod(target: PodAgentTarget, proc: Proc, processes: readonly PodProcess[]): OpenNetns {
  const label = `${target.namespace}/${target.pod}`;
  const containers = target.containers.map(({ name }) => name).join(',');
  const description = `node=${NODE_NAME} pod=${label} uid=${target.uid}${containers && ` containers=${containers}`}`;
  if (target.hostNetwork) {
    // With a filter the capture shows the pod; without one, the whole node.
    const name = target.filter === undefined ? `node/${NODE_NAME}` : label;
    return openProcess(proc, 1, name, `${description} hostNetwork=true`);
  }
  const known = new Set(target.containers.map(({ id }) => id));
  const hostInode = proc.networkNamespace(1);
  // A process whose cgroup names another pod's UID never belongs, whatever its container is called.
  const belongs = (process: PodProcess) =>
    process.pod === target.uid || (!isPodUid(process.pod) && known.has(process.container));
  const candidates = inOrder(processes.filter(belongs), known, proc);
  for (const candidate of candidates) {
    const held = openSame(proc, candidate.pid);
    if (held === undefined) continue;
    if (held.inode === hostInode) {
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
    const inodes = new Set(candidates.map(({ pid }) => proc.networkNamespace(pid)));
    inodes.delete(undefined);
    inodes.delete(hostInode);
    let witness = candidate.pid;
    const alive = () => {
      if (proc.networkNamespace(witness) === held.inode) return true;
      const other = proc.podProcesses().find((p) => belongs(p) && proc.networkNamespace(p.pid) === held.inode);
      witness = other?.pid ?? witness;
      return other !== undefined;
    };
    return {
      ...held,
      owner: candidate,
      others: Math.max(0, inodes.size - 1),
      name: label,
      description,
      interfaces: () => proc.interfaces(witness),
      alive,
      age: () => proc.age(candidate.pid),
    };
  }
  throw new KsnoopError('POD_HAS_NO_PROCESS', `Pod ${label} has no running process on node ${NODE_NAME}.`, {
    hint: `It may be starting, ending or crash-looping: kubectl get pod -n ${target.namespace} ${target.pod}`,
  });
}

/**
 * A pod's processes, those first that are surely in the network namespace its runtime made: the pause process, whose
 * container the API does not name, outlives restarts of the others; then those that the runtime started. A process
 * that the pod itself started may be in a separate namespace, whatever its pid.
 * @param known IDs of the containers that the API names
 */
function inOrder(processes: readonly PodProcess[], known: ReadonlySet<string>, proc: Proc): PodProcess[] {
  const own = new Set(processes.map(({ pid }) => pid));
  const rank = ({ pid, container }: PodProcess) => {
    if (!known.has(container)) return 0;
    const parent = proc.parent(pid);
    return parent === undefined || !own.has(parent) ? 1 : 2;
  };
  return processes
    .map((process) => ({ process, rank: rank(process) }))
    .sort((a, b) => a.rank - b.rank || a.process.pid - b.process.pid)
    .map(({ process }) => process);
}

/** Opens a process's network namespace; undefined when the pid was reused between the scan and the opening. */
function openSame(proc: Proc, pid: number): { fd: number; inode: number } | undefined {
  const started = proc.startTime(pid);
  const held = tryOpen(proc, pid);
  if (held === undefined || (started !== undefined && proc.startTime(pid) === started)) return held;
  closeSync(held.fd);
  return undefined;
}

function openProcess(proc: Proc, pid: number, name: string, description: string): OpenNetns {
  const held = tryOpen(proc, pid);
  if (held === undefined) {
    throw new KsnoopError('NO_SUCH_PROCESS', `There is no process ${pid} on ${NODE_NAME}, or it has ended.`, {
      hint: 'Look for it with: ps -e',
    });
  }
  const alive = () => pid === 1 || proc.networkNamespace(pid) === held.inode;
  const owner = proc.podProcess(pid);
  const interfaces = () => proc.interfaces(pid);
  return { ...held, owner, others: 0, name, description, interfaces, alive, age: () => proc.age(pid) };
}

function tryOpen(proc: Proc, pid: number): { fd: number; inode: number } | undefined {
  try {
    const fd = openSync(proc.path(pid, 'ns', 'net'), OPEN_FLAGS);
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

function openNamed(name: string): OpenNetns {
  const path = isAbsolute(name)
    ? name
    : NAMED.map((directory) => `${directory}/${name}`).find((file) => existsSync(file));
  if (path === undefined || name.includes('../..')) throw noSuchNamespace(name);
  let fd: number;
  try {
    fd = openSync(path, OPEN_FLAGS);
  } catch {
    throw noSuchNamespace(name);
  }
  if (!isNamespace(fd)) {
    closeSync(fd);
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
    owner: undefined,
    others: 0,
    name: `netns/${label}`,
    description: `node=${NODE_NAME} netns=${path}`,
    interfaces: () => undefined,
    alive,
    age: () => undefined,
  };
}

/** Whether a descriptor is of a namespace, and not of any other file. */
function isNamespace(fd: number): boolean {
  try {
    return statfsSync(`/proc/self/fd/${fd}`).type === NSFS_MAGIC;
  } catch {
    return false;
  }
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
