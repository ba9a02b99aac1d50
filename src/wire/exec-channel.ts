import { isObject, objectAt, objectsAt, optionalString } from './guard.ts';

/**
 * The framing of exec over a websocket: every binary message starts with one byte that names its channel
 * (k8s.io/apimachinery/pkg/util/remotecommand/constants.go).
 */
export const EXEC_CHANNEL = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** The server's Status, once, at the end. */
  status: 3,
  resize: 4,
  /** v5 only: the byte after it names the channel that is closed. */
  close: 255,
} as const;

/** Subprotocols in the order we prefer them. v5 can close stdin alone, v4 cannot. */
export const EXEC_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** A message of stdin: a copy of the bytes behind their channel's number. */
export function stdinFrame(bytes: Uint8Array): Uint8Array {
  const frame = new Uint8Array(bytes.length + 1);
  frame[0] = EXEC_CHANNEL.stdin;
  frame.set(bytes, 1);
  return frame;
}

/** The v5 message that closes stdin and leaves the rest open. */
export function closeStdinFrame(): Uint8Array {
  return Uint8Array.of(EXEC_CHANNEL.close, EXEC_CHANNEL.stdin);
}

/** The status channel's report of the remote process: how it exited, or why it never ran. */
export type ExecStatus =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'failed'; readonly message: string; readonly reason: string };

const EXIT_CODE = /^\d{1,9}$/;

/**
 * Read the status message: a metav1.Status in JSON. An exit code other than 0 is its cause of reason `ExitCode`
 * (k8s.io/apimachinery, NonZeroExitCodeReason).
 * @param text the message without its channel byte, UTF-8
 */
export function parseExecStatus(text: string): ExecStatus {
  let status: unknown;
  try {
    status = JSON.parse(text);
  } catch {
    return { kind: 'failed', reason: '', message: text.trim() || 'the server sent an empty status' };
  }
  if (!isObject(status)) return { kind: 'failed', reason: '', message: text.trim() };
  if (status.status === 'Success') return { kind: 'exited', code: 0 };
  for (const cause of objectsAt(objectAt(status, 'details'), 'causes')) {
    const code = optionalString(cause, 'message') ?? '';
    if (cause.reason === 'ExitCode' && EXIT_CODE.test(code)) return { kind: 'exited', code: Number(code) };
  }
  return {
    kind: 'failed',
    reason: optionalString(status, 'reason') ?? '',
    message: optionalString(status, 'message') ?? 'the server gave no reason',
  };
}
