import WebSocket from 'ws';
import { KsnoopError } from '../../wire/errors.ts';
import { closeStdinFrame, EXEC_CHANNEL, EXEC_PROTOCOLS, parseExecStatus, stdinFrame } from '../../wire/exec-channel.ts';
import { clusterWords, type Kube, kubeUrl } from './kube.ts';
import { CLOSE_TIMEOUT_MS, STATUS_MAXIMUM } from './limits.ts';
import { PeerWatch } from './peer-watch.ts';
import { resourcePath } from './resource.ts';
import { upgrade } from './upgrade.ts';

/** A command to run in a container, and the handlers of its output. */
export interface ExecRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly command: readonly string[];
  /** Whether the command gets a stdin that can be written and ended. */
  readonly stdin: boolean;
  /**
   * Takes each piece of stdout as it comes, never empty. The bytes lie in the socket's own chunk: valid after the call,
   * but keeping one of them keeps all. A slow receiver calls `pause()`; what the socket had already read (64 KiB at
   * most) still comes.
   */
  onStdout(bytes: Uint8Array): void;
  onStderr(bytes: Uint8Array): void;
}

/**
 * How an exec ended: the process exited; the server could not run it; or the stream broke and the end is unknown.
 * Codes of `failed`: EXEC_FAILED. Codes of `lost`: STREAM_LOST.
 */
export type ExecEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'failed'; readonly error: KsnoopError }
  | { readonly kind: 'lost'; readonly error: KsnoopError };

/** A running exec. */
export interface ExecStream {
  /** Settles once, after the last byte of stdout and stderr was handed over; never rejects. */
  readonly ended: Promise<ExecEnd>;
  /** Stdin can be closed while the rest stays open (v5). Without it `endStdin` does nothing. */
  readonly canEndStdin: boolean;
  readonly paused: boolean;
  /** Write to stdin; resolves when the bytes left for the network, at once when the stream has ended. */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Close the command's stdin. On v4 it cannot be done without losing output, so there nothing happens. */
  endStdin(): void;
  /** Stop reading: TCP's own back-pressure reaches the command. */
  pause(): void;
  resume(): void;
  /** Cut the connection now; `ended` is `lost` unless the command had ended. The command may go on running: see Leases. */
  terminate(): void;
}

/**
 * Run a command in a container over a websocket.
 * @param signal cuts the stream (and rejects while it is being opened) when it aborts
 * @throws KsnoopError as api.ts does when the server refuses: FORBIDDEN with the rule needed, NOT_FOUND, UNREACHABLE …
 */
export async function openExec(kube: Kube, request: ExecRequest, signal?: AbortSignal): Promise<ExecStream> {
  const path = resourcePath('v1', request.namespace, 'pods', request.pod, 'exec');
  const query = new URLSearchParams({ container: request.container, stdout: 'true', stderr: 'true', tty: 'false' });
  if (request.stdin) query.set('stdin', 'true');
  for (const word of request.command) query.append('command', word);

  const stream = new WebSocketExec(kube, request);
  const url = kubeUrl(kube, path, query);
  await upgrade(kube, { url, path, protocols: EXEC_PROTOCOLS, attach: (socket) => stream.attach(socket) }, signal);
  if (signal !== undefined) {
    const kill = () => stream.terminate();
    signal.addEventListener('abort', kill, { once: true });
    void stream.ended.then(() => signal.removeEventListener('abort', kill));
    if (signal.aborted) kill();
  }
  stream.watchPeer();
  return stream;
}

class WebSocketExec implements ExecStream {
  readonly ended: Promise<ExecEnd>;
  readonly #kube: Kube;
  readonly #request: ExecRequest;
  #settle: (end: ExecEnd) => void = () => {};
  #socket!: WebSocket;
  #end: ExecEnd | undefined;
  #failure = '';
  #peer: PeerWatch | undefined;

  constructor(kube: Kube, request: ExecRequest) {
    this.#kube = kube;
    this.#request = request;
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Listen before the handshake is over: the first messages may come with its answer. */
  attach(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#message(data));
    socket.on('error', (error) => {
      this.#failure = error.message;
    });
    // A refused handshake closes its socket too; the error reports it, and another may be tried.
    socket.on('open', () => socket.on('close', (code) => this.#closed(code)));
  }

  get canEndStdin(): boolean {
    return this.#socket.protocol === EXEC_PROTOCOLS[0];
  }

  get paused(): boolean {
    return this.#socket.isPaused;
  }

  write(bytes: Uint8Array | string): Promise<void> {
    const content = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : bytes;
    if (content.length === 0 || this.#socket.readyState !== WebSocket.OPEN) return Promise.resolve();
    // An error of the write is an error of the socket: `ended` reports it.
    return new Promise((resolve) => this.#socket.send(stdinFrame(content), () => resolve()));
  }

  endStdin(): void {
    if (this.canEndStdin && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(closeStdinFrame());
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#peer?.heard();
    this.#socket.resume();
  }

  terminate(): void {
    this.#failure ||= 'it was cut on this side';
    this.#socket.terminate();
  }

  /** Once it is open. */
  watchPeer(): void {
    this.#peer = new PeerWatch(this.#socket, (why) => {
      this.#failure = why;
    });
  }

  #message(data: Buffer): void {
    this.#peer?.heard();
    // The server opens every channel with an empty message.
    if (data.length < 2) return;
    switch (data[0]) {
      case EXEC_CHANNEL.stdout:
        this.#request.onStdout(data.subarray(1));
        return;
      case EXEC_CHANNEL.stderr:
        this.#request.onStderr(data.subarray(1));
        return;
      case EXEC_CHANNEL.status:
        this.#status(data.toString('utf8', 1, STATUS_MAXIMUM));
    }
  }

  #status(text: string): void {
    const status = parseExecStatus(text);
    const { namespace, pod, container } = this.#request;
    this.#end ??=
      status.kind === 'exited'
        ? status
        : {
            kind: 'failed',
            error: new KsnoopError(
              'EXEC_FAILED',
              `Exec into ${namespace}/${pod} (${container}) failed: ${status.message}`,
            ),
          };
    // The status is the last message; a server that does not close the connection is not waited for.
    setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS).unref();
  }

  #closed(code: number): void {
    const { namespace, pod } = this.#request;
    const why = this.#failure || (code === 1006 ? 'the connection was cut' : `the server closed it with code ${code}`);
    this.#settle(
      this.#end ?? {
        kind: 'lost',
        error: new KsnoopError('STREAM_LOST', `The stream from ${namespace}/${pod} broke: ${why}.`, {
          hint: `Does the ${clusterWords(this.#kube)} still run?`,
        }),
      },
    );
  }
}
