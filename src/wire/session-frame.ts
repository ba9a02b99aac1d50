import { invalid } from './guard.ts';
import { RESUME_WINDOW_MS } from './limits.ts';

/**
 * The framing between client and agent through port-forward: binary websocket messages, each a frame of kind (one
 * byte), channel (one), offset (six, big-endian) and what it carries. Offsets count the plain bytes of a channel since
 * the session began, over however many connections.
 */
export const FRAME_KIND = { data: 0, acknowledge: 1, zstd: 2 } as const;

/** The channels of a session: the three streams of `ksnoop-agent capture`, and the code it exits with, in decimal. */
export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, exit: 3 } as const;

export const CLIENT_CHANNELS: readonly number[] = [CHANNEL.stdin];
export const AGENT_CHANNELS: readonly number[] = [CHANNEL.stdout, CHANNEL.stderr, CHANNEL.exit];

export const FRAME_HEADER = 8;

/** The port on which the agent listens, on loopback of its pod. */
export const AGENT_PORT = 9575;

/** Where an agent that takes tickets listens for those who may exec in its container. */
export const ADMINISTRATORS_SOCKET = '/var/spool/ksnoop/sessions.sock';

/** The websocket's subprotocol. */
export const SESSION_PROTOCOL = 'ksnoop.v1';

/** The client's close code for: this session is over, do not wait for me. */
export const ABANDON_CODE = 4000;

/** Whether the agent compresses what it sends: when it pays, always, or never. */
export const COMPRESSIONS = ['auto', 'on', 'off'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

const SESSION_PATH = /^\/session\/([0-9a-f]{32})\?(new|resume)((?:&[a-z]+=[a-z0-9]+)*)$/;

/** What every request for a session contains. */
interface SessionRequest {
  /** 128 random bits in hex. Not a secret: who captures the agent's loopback can read it. */
  readonly id: string;
  /** How long the agent keeps the session when it hears nothing, milliseconds. */
  readonly windowMs: number;
  readonly compress: Compression;
}

/** A request to resume a session, without its signature. */
export interface Resumption extends SessionRequest {
  /** Counts the requests to resume this session, from 1: a signature is valid for one of them. */
  readonly attempt: number;
}

/** A session in a client's request. */
export type SessionAddress =
  /** With the public key (Ed25519, hex) whose holder alone may resume the session. Older clients send none. */
  | (SessionRequest & { readonly isNew: true; readonly key: string | undefined })
  /** With the signature (hex) of the request by that key. Older clients send none. */
  | (Resumption & { readonly isNew: false; readonly proof: string | undefined });

/** What a client signs to resume a session: all that the request asks for. The attempt makes each signature valid once. */
export function resumptionText({ id, attempt, windowMs, compress }: Resumption): string {
  return `ksnoop resume ${id} ${attempt} ${windowMs} ${compress}`;
}

/** Ed25519: 32 bytes of a public key, 64 of a signature (RFC 8032), in hex. */
const KEY = /^[0-9a-f]{64}$/;
const PROOF = /^[0-9a-f]{128}$/;

/** The path of a client's request. */
export function sessionPath(address: SessionAddress): string {
  const { id, windowMs, compress } = address;
  const words = address.isNew
    ? [['key', address.key] as const]
    : [['attempt', address.attempt] as const, ['proof', address.proof] as const];
  const more = words.map(([name, value]) => (value === undefined ? '' : `&${name}=${value}`)).join('');
  return `/session/${id}?${address.isNew ? 'new' : 'resume'}&window=${windowMs}&compress=${compress}${more}`;
}

/**
 * Read a path; undefined for any other than ours. Parameters of a newer client are ignored, and those an older one does not
 * send have the value of its time.
 */
export function parseSessionPath(path: string): SessionAddress | undefined {
  const parts = SESSION_PATH.exec(path);
  if (parts === null) return undefined;
  const parameters = new Map((parts[3] ?? '').split('&').map((pair) => [pair.split('=')[0], pair.split('=')[1]]));
  const windowMs = Number(parameters.get('window') ?? RESUME_WINDOW_MS);
  const compress = COMPRESSIONS.find((known) => known === parameters.get('compress')) ?? 'off';
  if (!Number.isSafeInteger(windowMs)) return undefined;
  const request = { id: parts[1] ?? '', windowMs, compress };
  if (parts[2] === 'new') {
    const key = parameters.get('key');
    return key === undefined || KEY.test(key) ? { ...request, isNew: true, key } : undefined;
  }
  const attempt = Number(parameters.get('attempt') ?? 0);
  const proof = parameters.get('proof');
  if (!Number.isSafeInteger(attempt) || (proof !== undefined && !PROOF.test(proof))) return undefined;
  return { ...request, isNew: false, attempt, proof };
}

export interface Frame {
  readonly kind: number;
  readonly channel: number;
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** A frame; the payload is copied behind the header. */
export function encodeFrame(kind: number, channel: number, offset: number, payload?: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER + (payload?.length ?? 0));
  const view = new DataView(frame.buffer);
  view.setUint8(0, kind);
  view.setUint8(1, channel);
  view.setUint16(2, Math.floor(offset / 2 ** 32));
  view.setUint32(4, offset % 2 ** 32);
  if (payload !== undefined) frame.set(payload, FRAME_HEADER);
  return frame;
}

/** The payload lies in the message itself. @throws KsnoopError INVALID_MESSAGE when it is too short to be a frame */
export function decodeFrame(message: Uint8Array): Frame {
  if (message.length < FRAME_HEADER) throw invalid('session frame', `has ${message.length} bytes`);
  const view = new DataView(message.buffer, message.byteOffset, FRAME_HEADER);
  return {
    kind: view.getUint8(0),
    channel: view.getUint8(1),
    offset: view.getUint16(2) * 2 ** 32 + view.getUint32(4),
    payload: message.subarray(FRAME_HEADER),
  };
}
