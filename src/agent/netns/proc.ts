import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupOwner, cgroupOwner } from './cgroup.ts';

/** A process of some pod. */
export interface PodProcess extends CgroupOwner {
  readonly pid: number;
}

/** Reads /proc. The root is a parameter, so that tests can use recorded trees. */
export class Proc {
  readonly root: string;

  constructor(root = '/proc') {
    this.root = root;
  }

  path(...parts: (string | number)[]): string {
    return join(this.root, ...parts.map(String));
  }

  /** A file of /proc, or undefined when its process has ended or may not be read. */
  read(...parts: (string | number)[]): string | undefined {
    try {
      return readFileSync(this.path(...parts), 'utf8');
    } catch {
      return undefined;
    }
  }

  pids(): number[] {
    return readdirSync(this.root)
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** The pod a process belongs to; undefined for one of no pod, or that has ended. */
  podProcess(pid: number): PodProcess | undefined {
    const text = this.read(pid, 'cgroup');
    const owner = text === undefined ? undefined : cgroupOwner(text);
    return owner === undefined ? undefined : { pid, ...owner };
  }

  /** All processes that belong to pods, lowest pid first, in one pass. */
  podProcesses(): PodProcess[] {
    return this.pids().flatMap((pid) => this.podProcess(pid) ?? []);
  }

  /** Arguments of a process; empty for a kernel thread or one that has ended. */
  commandLine(pid: number): string[] {
    return (this.read(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
  }

  /** Ticks since boot at which the process started: differs when a pid is reused (proc(5), stat field 22). */
  startTime(pid: number): string | undefined {
    return this.#stat(pid)?.[19];
  }

  /** The pid of a process's parent; undefined when it has ended. */
  parent(pid: number): number | undefined {
    const parent = this.#stat(pid)?.[1];
    return parent === undefined ? undefined : Number(parent);
  }

  /** The fields of /proc/PID/stat behind the command, which may hold anything: state, parent … (proc(5), from field 3 on). */
  #stat(pid: number): string[] | undefined {
    const stat = this.read(pid, 'stat');
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  }

  /** Milliseconds since the process started, to the clock tick of 10 (proc(5); USER_HZ is 100 on every Linux). */
  age(pid: number): number | undefined {
    const started = Number(this.startTime(pid));
    const uptime = Number(this.read('uptime')?.split(' ')[0]);
    return Number.isNaN(started) || Number.isNaN(uptime) ? undefined : Math.max(0, uptime * 1000 - started * 10);
  }

  /** Inode of the process's network namespace; undefined when it has ended or may not be looked at. */
  networkNamespace(pid: number | 'self'): number | undefined {
    try {
      return statSync(this.path(pid, 'ns', 'net')).ino;
    } catch {
      return undefined;
    }
  }

  /** Network interfaces in the namespace of a process (proc_net(5), /proc/PID/net/dev). */
  interfaces(pid: number): string[] {
    return (this.read(pid, 'net', 'dev') ?? '')
      .split('\n')
      .slice(2)
      .map((line) => line.split(':')[0]?.trim() ?? '')
      .filter((name) => name !== '');
  }
}
