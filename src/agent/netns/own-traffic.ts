import { readdirSync, readlinkSync } from 'node:fs';
import { portFilter } from '../../wire/port-filter.ts';
import { FILES_OF_CARRIER } from '../limits.ts';
import type { Proc } from './proc.ts';

/** Processes that carry exec and port-forward on a node: the kubelet, and the runtime that serves the stream. */
const CARRIERS = new Set(['kubelet', 'containerd', 'crio', 'cri-dockerd', 'dockerd']);

/** The kubelet's port where its sockets may not be looked at (k8s.io/kubernetes/pkg/cluster/ports). */
const KUBELET_PORT = 10_250;

/** State of a listening socket in /proc/net/tcp (net/tcp_states.h). */
const LISTEN = '0A';

/**
 * A filter for the connections that carry captures through the host's network. A capture of that network that contained
 * them would capture itself. The filter names whole ports: an agent cannot determine which connection carries its session.
 */
export function ownTrafficFilter(proc: Proc): string {
  const inodes = new Set(carriers(proc).flatMap((pid) => socketsOf(proc, pid)));
  const ports = new Set([KUBELET_PORT]);
  for (const file of ['tcp', 'tcp6']) {
    for (const line of (proc.read(1, 'net', file) ?? '').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state === LISTEN && inodes.has(inode)) ports.add(Number.parseInt(local.split(':')[1] ?? '', 16));
    }
  }
  return portFilter([...ports].filter((port) => port > 0).map((port) => ({ protocol: 'tcp', port })));
}

/** Processes with these names in the host's network, but none of a pod's: a pod could hide its ports by such a name. */
function carriers(proc: Proc): number[] {
  const host = proc.networkNamespace(1);
  return proc.pids().filter((pid) => {
    if (!CARRIERS.has(proc.read(pid, 'comm')?.trim() ?? '')) return false;
    return proc.networkNamespace(pid) === host && (proc.podProcess(pid)?.pod ?? '') === '';
  });
}

/** Inodes of a process's sockets (proc(5), /proc/PID/fd). */
function socketsOf(proc: Proc, pid: number): string[] {
  try {
    return readdirSync(proc.path(pid, 'fd'))
      .slice(0, FILES_OF_CARRIER)
      .flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(proc.path(pid, 'fd', fd)))?.[1] ?? [];
        } catch {
          return [];
        }
      });
  } catch {
    return [];
  }
}
