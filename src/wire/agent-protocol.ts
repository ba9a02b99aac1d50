import {
  arrayAt,
  invalid,
  type JsonObject,
  optionalNumber,
  optionalString,
  parseJson,
  requireInteger,
  requireObject,
  requireString,
} from './guard.ts';
import {
  DURATION_MAXIMUM_MS,
  FILTER_MAXIMUM,
  PID_MAXIMUM,
  SNAPLEN_MAXIMUM,
  SNAPLEN_MINIMUM,
  TARGETS_PER_AGENT,
} from './limits.ts';

/**
 * The conversation between client and agent: JSON lines. The client writes requests and controls to the agent's stdin,
 * the agent writes events to its stderr; its stdout carries pcapng and nothing else.
 */

/** A container of a target pod as the client knows it from the API: `id` without its `containerd://` prefix. */
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

/** A pod by what the API server says of it. `uid` is what its cgroup carries (for a static pod the config hash). */
export interface PodAgentTarget extends TargetCommon {
  readonly kind: 'pod';
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  readonly containers: readonly TargetContainer[];
  readonly hostNetwork: boolean;
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

/** What to capture. Sent once, as the first line. */
export interface CaptureRequest {
  readonly type: 'capture';
  /** `major.minor` of the client. */
  readonly protocol: string;
  /** 128 random bits in hex. */
  readonly session: string;
  readonly targets: readonly AgentTarget[];
  /** An interface of the target's network namespace, or `any`. */
  readonly interface: string;
  readonly filter?: string;
  /** Bytes kept of each packet. */
  readonly snaplen: number;
  /** The agent ends by itself after this long, milliseconds. */
  readonly maxDurationMs: number;
}

/** What the client says afterwards. `acknowledge` answers the `end` event: the stream's end marker has been read. */
export type Control = { readonly type: 'heartbeat' } | { readonly type: 'stop' } | { readonly type: 'acknowledge' };

/** Counters of one interface so far, all whole packets. */
export interface InterfaceCounters {
  /** Written to the stream. */
  readonly captured: number;
  /** Seen by the kernel's filter (tcpdump: received by filter). */
  readonly received: number;
  readonly droppedByKernel: number;
  readonly droppedByKsnoop: number;
}

export type AgentEvent =
  | { readonly type: 'hello'; readonly protocol: string; readonly version: string; readonly node: string }
  /** A target is being captured: packets from now on are in the stream, under the interface named. */
  | { readonly type: 'started'; readonly target: string; readonly interface: string }
  /** A target could not be captured, or no longer: `code` and `message` as in KsnoopError. */
  | {
      readonly type: 'target-failed';
      readonly target: string;
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    }
  /** A target's last process is gone; its statistics are in the stream. */
  | { readonly type: 'target-gone'; readonly target: string }
  | { readonly type: 'counters'; readonly target: string; readonly counters: InterfaceCounters }
  | { readonly type: 'alive' }
  | { readonly type: 'log'; readonly message: string }
  /** The request as a whole failed; nothing was captured. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string; readonly hint?: string }
  /** The end marker has been written to stdout; the agent waits for `acknowledge`. */
  | { readonly type: 'end'; readonly reason: EndReason };

export const END_REASONS = [
  'stopped',
  'lease',
  'duration',
  'targets-gone',
  'failed',
  'stdin-closed',
  'signal',
] as const;
export type EndReason = (typeof END_REASONS)[number];

const SESSION_ID = /^[0-9a-f]{32}$/;
/** What the kernel allows in an interface name, less what tcpdump would take for an option (IFNAMSIZ, linux/if.h). */
const INTERFACE_NAME = /^[^\s/:-][^\s/:]{0,14}$/;

/**
 * Validate the first line of a session.
 * @throws KsnoopError INVALID_MESSAGE naming the member at fault
 */
export function parseCaptureRequest(line: string): CaptureRequest {
  const where = 'capture request';
  const request = requireObject(parseJson(line, where), where);
  if (request.type !== 'capture') throw invalid(where, 'does not start with type "capture"');
  const session = requireString(request, 'session', where, 32);
  if (!SESSION_ID.test(session)) throw invalid(where, 'has a session that is not 32 hexadecimal digits');
  const interfaceName = requireString(request, 'interface', where, 15);
  if (!INTERFACE_NAME.test(interfaceName))
    throw invalid(where, `asks for an impossible interface name: ${interfaceName}`);
  const targets = arrayAt(request, 'targets').map((target, index) => parseTarget(target, `target ${index + 1}`));
  if (targets.length === 0 || targets.length > TARGETS_PER_AGENT) {
    throw invalid(where, `names ${targets.length} targets where 1 to ${TARGETS_PER_AGENT} are allowed`);
  }
  if (new Set(targets.map((target) => target.key)).size < targets.length)
    throw invalid(where, 'uses a target key twice');
  return {
    type: 'capture',
    protocol: requireString(request, 'protocol', where, 16),
    session,
    targets,
    interface: interfaceName,
    ...filterOf(request, where),
    snaplen: requireInteger(request, 'snaplen', where, SNAPLEN_MINIMUM, SNAPLEN_MAXIMUM),
    maxDurationMs: requireInteger(request, 'maxDurationMs', where, 1, DURATION_MAXIMUM_MS),
  };
}

function filterOf(parent: JsonObject, where: string): { filter?: string } {
  return parent.filter === undefined ? {} : { filter: requireString(parent, 'filter', where, FILTER_MAXIMUM) };
}

function parseTarget(value: unknown, where: string): AgentTarget {
  const target = requireObject(value, where);
  const common = { key: requireString(target, 'key', where, 512), ...filterOf(target, where) };
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
      return { ...common, kind: 'pid', pid: requireInteger(target, 'pid', where, 1, PID_MAXIMUM) };
    case 'host':
      return { ...common, kind: 'host' };
    default:
      throw invalid(where, `is of an unknown kind: ${String(target.kind)}`);
  }
}

/** A control line, or undefined for one of a kind that a newer client may send. */
export function parseControl(line: string): Control | undefined {
  const where = 'control message';
  const control = requireObject(parseJson(line, where), where);
  switch (control.type) {
    case 'heartbeat':
    case 'stop':
    case 'acknowledge':
      return { type: control.type };
    default:
      return undefined;
  }
}

/**
 * An event line, or undefined for one of a kind that a newer agent may send.
 * @throws KsnoopError INVALID_MESSAGE when it is no event at all: then something else writes to the agent's stderr
 */
export function parseAgentEvent(line: string): AgentEvent | undefined {
  const where = "agent's event";
  const event = requireObject(parseJson(line, where), where);
  const text = (key: string) => requireString(event, key, where, 65_536);
  const hint = optionalString(event, 'hint');
  switch (event.type) {
    case 'hello':
      return {
        type: 'hello',
        protocol: text('protocol'),
        version: text('version'),
        node: optionalString(event, 'node') ?? '',
      };
    case 'started':
      return { type: 'started', target: text('target'), interface: text('interface') };
    case 'target-failed':
      return {
        type: 'target-failed',
        target: text('target'),
        code: text('code'),
        message: text('message'),
        ...(hint && { hint }),
      };
    case 'target-gone':
      return { type: 'target-gone', target: text('target') };
    case 'counters':
      return { type: 'counters', target: text('target'), counters: parseCounters(event.counters) };
    case 'alive':
      return { type: 'alive' };
    case 'log':
      return { type: 'log', message: text('message') };
    case 'failed':
      return { type: 'failed', code: text('code'), message: text('message'), ...(hint && { hint }) };
    case 'end': {
      const reason = END_REASONS.find((known) => known === event.reason);
      return { type: 'end', reason: reason ?? 'failed' };
    }
    default:
      return undefined;
  }
}

function parseCounters(value: unknown): InterfaceCounters {
  const counters = requireObject(value, 'counters');
  return {
    captured: optionalNumber(counters, 'captured') ?? 0,
    received: optionalNumber(counters, 'received') ?? 0,
    droppedByKernel: optionalNumber(counters, 'droppedByKernel') ?? 0,
    droppedByKsnoop: optionalNumber(counters, 'droppedByKsnoop') ?? 0,
  };
}
