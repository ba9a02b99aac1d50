import { type AgentTarget, parseFilter, parseTarget } from './agent-target.ts';
import {
  arrayAt,
  type Bounds,
  invalid,
  isObject,
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
  SENTENCE_MAXIMUM,
  SNAPLEN_MAXIMUM,
  SNAPLEN_MINIMUM,
  TARGETS_PER_AGENT,
} from './limits.ts';

/**
 * The protocol between client and agent: JSON lines. The client writes requests and controls to the agent's stdin,
 * the agent writes events to its stderr; its stdout carries pcapng and nothing else.
 */

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
  /** Targets may be added: the session continues when none is left. Since 1.1. */
  readonly follow?: boolean;
  /**
   * The state of every network namespace is wanted too, soon after its capture begins and at its end. An agent that
   * does not know this sends none.
   */
  readonly state?: boolean;
  /**
   * The packets are analysed on their node, and what was found comes in their place. An agent that does not know this sends the
   * packets.
   */
  readonly edge?: EdgeRequest;
}

/** What an analysis beside an agent looks at, as AnalysisOutputKind (src/analyze/engine/output.ts) has it. */
export interface EdgeRequest {
  readonly detail: boolean;
  readonly labels: boolean;
  readonly firstLegs: boolean;
  readonly firstLegsOnly: boolean;
  readonly traced: boolean;
  /** Exchanges of a flow that differ in their times and bytes alone are added up, and travel every few seconds. */
  readonly counts: boolean;
  readonly showSecrets: boolean;
  /** No other agent is part of the capture: with `counts` connections are added up, too, until `not-alone` comes. */
  readonly alone?: boolean;
  /** With `alone`: also exchanges of DNS, and flows of datagrams. A client that does not read these leaves it out. */
  readonly lookups?: boolean;
  /** What certainly does not match this expression of `--where` may be left out. */
  readonly where?: string | undefined;
}

/** What the client sends afterwards. */
export type Control =
  | { readonly type: 'heartbeat' }
  | { readonly type: 'stop' }
  /** What time is it where you are? `sentAt` comes back with the answer. Since 1.1. */
  | { readonly type: 'clock'; readonly sentAt: number }
  /** Answers the `end` event: the stream's end marker has been read. */
  | { readonly type: 'acknowledge' }
  /** One more target; with a key that is known, what has changed about it. Since 1.1. */
  | { readonly type: 'add'; readonly target: AgentTarget }
  /** A target that is no longer wanted: its last statistics come, then `target-gone`. Since 1.1. */
  | { readonly type: 'remove'; readonly key: string }
  /** Another agent joins the capture: connections may be seen there as well. An agent that analyses answers with the same. */
  | { readonly type: 'not-alone' }
  /** One more signed ticket, base64url (src/wire/ticket.ts); also before the request. */
  | { readonly type: 'ticket'; readonly ticket: string };

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
  /**
   * The session has begun. `kills`: processes of the agent's container that the kernel has killed so far for lack of memory;
   * left out where they are not counted.
   */
  | {
      readonly type: 'hello';
      readonly protocol: string;
      readonly version: string;
      readonly node: string;
      readonly kills?: number;
    }
  /**
   * A target is being captured: packets from now on are in the stream, under the interface named. Since 1.1 with the
   * interface's number in the stream and, of one that was waited for, the milliseconds since its sandbox started.
   */
  | {
      readonly type: 'started';
      readonly target: string;
      readonly interface: string;
      readonly id?: number;
      readonly sandboxMs?: number;
    }
  /** A target has no network namespace yet; it is waited for. Since 1.1. */
  | { readonly type: 'target-waiting'; readonly target: string; readonly message: string }
  /** A target could not be captured, or no longer: `code` and `message` as in KsnoopError. */
  | {
      readonly type: 'target-failed';
      readonly target: string;
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
    }
  /** A target's last process is gone, or it was removed; its statistics are in the stream. */
  | { readonly type: 'target-gone'; readonly target: string }
  /** `id` as in `started`: a target that had two network namespaces has counters of each. */
  | { readonly type: 'counters'; readonly target: string; readonly id?: number; readonly counters: InterfaceCounters }
  | { readonly type: 'alive' }
  /** Answers `clock`: the node's time, milliseconds since 1970. Since 1.1. */
  | { readonly type: 'clock'; readonly sentAt: number; readonly time: number }
  /** Answers `not-alone`: what is captured from now on is no longer added up by connection. */
  | { readonly type: 'not-alone' }
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
  'tickets',
] as const;
export type EndReason = (typeof END_REASONS)[number];

/** Why a session ended, by the body of its end marker; undefined where that has no known reason. */
export function endReasonIn(marker: Uint8Array | undefined): EndReason | undefined {
  if (marker === undefined) return undefined;
  try {
    const body: unknown = JSON.parse(Buffer.from(marker).toString('utf8'));
    return isObject(body) ? END_REASONS.find((known) => known === body.reason) : undefined;
  } catch {
    return undefined;
  }
}

const SNAPLEN: Bounds = { minimum: SNAPLEN_MINIMUM, maximum: SNAPLEN_MAXIMUM };

/** A time since 1970. */
const MILLISECONDS: Bounds = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

/** Characters of a key, a code or an interface's name in an event: a pod's name and its namespace have up to 317. */
const WORD_MAXIMUM = 1_024;

/** Characters of an expression of `--where` of which an agent evaluates a part. */
export const EDGE_WHERE_MAXIMUM = 8_192;

/** A signed ticket in base64url. */
const TICKET_TEXT_MAXIMUM = 16_384;

const SESSION_ID = /^[0-9a-f]{32}$/;
/** What the kernel allows in an interface name, less what tcpdump would take for an option (IFNAMSIZ, linux/if.h). */
const INTERFACE_NAME = /^[^\s/:-][^\s/:]{0,14}$/;

/**
 * Validate the first line of a session.
 * @throws KsnoopError INVALID_MESSAGE naming the member at fault, BAD_FILTER when a filter is too long
 */
export function parseCaptureRequest(line: string): CaptureRequest {
  const where = 'capture request';
  const request = requireObject(parseJson(line, where), where);
  if (request.type !== 'capture') throw invalid(where, 'does not start with type "capture"');
  const session = requireString(request, 'session', where, 32);
  if (!SESSION_ID.test(session)) throw invalid(where, 'has a session that is not 32 hexadecimal digits');
  const interfaceName = requireString(request, 'interface', where, 15);
  if (!INTERFACE_NAME.test(interfaceName)) throw invalid(where, `names an impossible interface: ${interfaceName}`);
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
    ...parseFilter(request, where),
    snaplen: requireInteger(request, 'snaplen', where, SNAPLEN),
    maxDurationMs: requireInteger(request, 'maxDurationMs', where, { minimum: 1, maximum: DURATION_MAXIMUM_MS }),
    ...(request.follow === true && { follow: true }),
    ...(request.state === true && { state: true }),
    ...(request.edge !== undefined && { edge: parseEdgeRequest(request.edge) }),
  };
}

/** @throws KsnoopError INVALID_MESSAGE */
export function parseEdgeRequest(value: unknown): EdgeRequest {
  const request = requireObject(value, 'request for an analysis');
  const { detail, labels, firstLegs, firstLegsOnly, traced, counts, showSecrets } = request;
  const where = optionalString(request, 'where');
  return {
    detail: detail === true,
    labels: labels === true,
    firstLegs: firstLegs === true,
    firstLegsOnly: firstLegsOnly === true,
    traced: traced === true,
    counts: counts === true,
    showSecrets: showSecrets === true,
    ...(request.alone === true && { alone: true }),
    ...(request.lookups === true && { lookups: true }),
    ...(where !== undefined && where.length <= EDGE_WHERE_MAXIMUM ? { where } : {}),
  };
}

/** A control line, or undefined for one of a kind that a newer client may send. */
export function parseControl(line: string): Control | undefined {
  const where = 'control message';
  const control = requireObject(parseJson(line, where), where);
  switch (control.type) {
    case 'heartbeat':
    case 'stop':
    case 'acknowledge':
    case 'not-alone':
      return { type: control.type };
    case 'clock':
      return { type: 'clock', sentAt: requireInteger(control, 'sentAt', where, MILLISECONDS) };
    case 'add':
      return { type: 'add', target: parseTarget(control.target, 'added target') };
    case 'remove':
      return { type: 'remove', key: requireString(control, 'key', where, 512) };
    case 'ticket':
      return { type: 'ticket', ticket: requireString(control, 'ticket', where, TICKET_TEXT_MAXIMUM) };
    default:
      return undefined;
  }
}

/**
 * An event line, or undefined for one of a kind that a newer agent may send.
 * @throws KsnoopError INVALID_MESSAGE when it is not an event: then something else writes to the agent's stderr
 */
export function parseAgentEvent(line: string): AgentEvent | undefined {
  const where = "agent's event";
  const event = requireObject(parseJson(line, where), where);
  const text = (key: string) => requireString(event, key, where, 65_536);
  const word = (key: string) => requireString(event, key, where, WORD_MAXIMUM);
  const hint = optionalString(event, 'hint')?.slice(0, SENTENCE_MAXIMUM);
  switch (event.type) {
    case 'hello': {
      const kills = optionalNumber(event, 'kills');
      return {
        type: 'hello',
        protocol: word('protocol'),
        version: word('version'),
        node: optionalString(event, 'node')?.slice(0, WORD_MAXIMUM) ?? '',
        ...(kills !== undefined && { kills }),
      };
    }
    case 'started': {
      const sandboxMs = optionalNumber(event, 'sandboxMs');
      return {
        type: 'started',
        target: word('target'),
        interface: word('interface'),
        ...idOf(event),
        ...(sandboxMs !== undefined && { sandboxMs }),
      };
    }
    case 'target-waiting':
      return { type: 'target-waiting', target: word('target'), message: text('message') };
    case 'target-failed':
      return {
        type: 'target-failed',
        target: word('target'),
        code: word('code'),
        message: text('message'),
        ...(hint && { hint }),
      };
    case 'target-gone':
      return { type: 'target-gone', target: word('target') };
    case 'counters':
      return {
        type: 'counters',
        target: word('target'),
        ...idOf(event),
        counters: parseCounters(event.counters),
      };
    case 'alive':
    case 'not-alone':
      return { type: event.type };
    case 'clock': {
      const whole = (key: string) => requireInteger(event, key, where, MILLISECONDS);
      return { type: 'clock', sentAt: whole('sentAt'), time: whole('time') };
    }
    case 'log':
      return { type: 'log', message: text('message') };
    case 'failed':
      return { type: 'failed', code: word('code'), message: text('message'), ...(hint && { hint }) };
    case 'end': {
      const reason = END_REASONS.find((known) => known === event.reason);
      return { type: 'end', reason: reason ?? 'failed' };
    }
    default:
      return undefined;
  }
}

function idOf(event: JsonObject): { id?: number } {
  const id = optionalNumber(event, 'id');
  return id === undefined ? {} : { id };
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
