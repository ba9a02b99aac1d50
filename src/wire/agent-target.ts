import { KsnoopError } from './errors.ts';
import { arrayAt, invalid, type JsonObject, requireInteger, requireObject, requireString } from './guard.ts';
import { CONTROL_LINE_MAXIMUM, FILTER_MAXIMUM, PID_MAXIMUM } from './limits.ts';

/** A container of a target pod as the API describes it to the client: `id` without its `containerd://` prefix. */
export interface TargetContainer {
  readonly name: string;
  readonly id: string;
}

interface TargetCommon {
  /** The client's key for this target; every event about it carries it. */
  readonly key: string;
  /** A filter of this target alone, joined to the request's with `and` (for example its container's ports). */
  readonly filter?: string;
}

/** A pod as the API server describes it. `uid` is what its cgroup carries (for a static pod the config hash). */
export interface PodAgentTarget extends TargetCommon {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly containers: readonly TargetContainer[];
  readonly hostNetwork: boolean;
  /**
   * It may have no network namespace yet, and may get another one after the first (a restarted sandbox): each is
   * captured as soon as it exists, until `remove`. Since 1.1.
   */
  readonly wait?: boolean;
}

/** A pod of this machine by name alone (`--local pod/NAME`): the agent reads its UID from /var/log/pods. */
export interface LocalPodAgentTarget extends TargetCommon {
  readonly kind: 'local-pod';
  readonly namespace: string;
  readonly pod: string;
}

/** A named or bind-mounted network namespace: `name` (in /run/netns) or an absolute path. */
export interface NetnsAgentTarget extends TargetCommon {
  readonly kind: 'netns';
  readonly name: string;
}

/** The network namespace of a process. */
export interface PidAgentTarget extends TargetCommon {
  readonly kind: 'pid';
  readonly pid: number;
}

/** The agent's own host: the network namespace of process 1. */
export interface HostAgentTarget extends TargetCommon {
  readonly kind: 'host';
}

export type AgentTarget = PodAgentTarget | LocalPodAgentTarget | NetnsAgentTarget | PidAgentTarget | HostAgentTarget;

/** The member `filter` as it goes into a message, or nothing. @throws KsnoopError BAD_FILTER when it is too long */
export function parseFilter(parent: JsonObject, where: string): { filter?: string } {
  if (parent.filter === undefined) return {};
  const filter = requireString(parent, 'filter', where, CONTROL_LINE_MAXIMUM);
  const bytes = Buffer.byteLength(filter);
  if (bytes <= FILTER_MAXIMUM) return { filter };
  throw new KsnoopError('BAD_FILTER', `The capture filter has ${bytes} bytes, and ${FILTER_MAXIMUM} are allowed.`, {
    hint: 'Use portrange or net in place of a list of ports or hosts.',
  });
}

/** One target of a request. @throws KsnoopError INVALID_MESSAGE naming the member at fault, BAD_FILTER */
export function parseTarget(value: unknown, where: string): AgentTarget {
  const target = requireObject(value, where);
  const common = { key: requireString(target, 'key', where, 512), ...parseFilter(target, where) };
  switch (target.kind) {
    case 'pod':
      return {
        ...common,
        kind: 'pod',
        namespace: requireString(target, 'namespace', where, 253),
        pod: requireString(target, 'pod', where, 253),
        uid: requireString(target, 'uid', where, 64),
        containers: arrayAt(target, 'containers').map((container) => {
          const object = requireObject(container, `${where}'s container`);
          return { name: requireString(object, 'name', where, 253), id: requireString(object, 'id', where, 128) };
        }),
        hostNetwork: target.hostNetwork === true,
        ...(target.wait === true && { wait: true }),
      };
    case 'local-pod':
      return {
        ...common,
        kind: 'local-pod',
        namespace: requireString(target, 'namespace', where, 253),
        pod: requireString(target, 'pod', where, 253),
      };
    case 'netns':
      return { ...common, kind: 'netns', name: requireString(target, 'name', where, 4096) };
    case 'pid':
      return {
        ...common,
        kind: 'pid',
        pid: requireInteger(target, 'pid', where, { minimum: 1, maximum: PID_MAXIMUM }),
      };
    case 'host':
      return { ...common, kind: 'host' };
    default:
      throw invalid(where, `is of an unknown kind: ${String(target.kind)}`);
  }
}

/** Whether a target is a pod: found by its processes. */
export function isPodTarget({ kind }: AgentTarget): boolean {
  return kind === 'pod' || kind === 'local-pod';
}
