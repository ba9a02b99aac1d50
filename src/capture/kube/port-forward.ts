import { Duplex } from 'node:stream';
import WebSocket from 'ws';
import { KsnoopError } from '../../wire/errors.ts';
import { type Kube, kubeUrl } from './kube.ts';
import { ERROR_MAXIMUM } from './limits.ts';
import { PeerWatch } from './peer-watch.ts';
import { resourcePath } from './resource.ts';
import { upgrade } from './upgrade.ts';

/**
 * Port-forward over a websocket: each message starts with its channel, data and errors of the one requested port; the first
 * of each channel carries the port (k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go).
 */
const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;
const PORT_BYTES = 2;

export interface PortForwardRequest {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/**
 * Connect to a port of a pod, on its loopback. One websocket carries one connection.
 * @param signal rejects while the connection is being opened
 * @returns the connection. There is no half-close: its end ends both ways. It is destroyed with KsnoopError
 * PORT_FORWARD_FAILED when no process listens, which the node reports only afterwards, and when the API server went without a word
 * @throws KsnoopError as api.ts does when the server refuses: FORBIDDEN with the rule needed, NOT_FOUND, UNREACHABLE …
 */
export async function openPortForward(kube: Kube, request: PortForwardRequest, signal?: AbortSignal): Promise<Duplex> {
  const path = resourcePath('v1', request.namespace, 'pods', request.pod, 'portforward');
  const url = kubeUrl(kube, path, new URLSearchParams({ ports: String(request.port) }));
  const connection = new ForwardedConnection(request);
  await upgrade(kube, { url, path, protocols: [PROTOCOL], attach: (socket) => connection.attach(socket) }, signal);
  // Refused with the handshake's answer: the caller cannot have added a listener yet.
  if (connection.errored !== null) throw connection.errored;
  connection.watchPeer();
  return connection;
}

class ForwardedConnection extends Duplex {
  readonly #request: PortForwardRequest;
  #socket!: WebSocket;
  #peer: PeerWatch | undefined;
  readonly #greeted = [false, false];

  constructor(request: PortForwardRequest) {
    super({ allowHalfOpen: false });
    this.#request = request;
    // It may break before a listener is added, and an 'error' event without a listener would end the process.
    this.on('error', () => {});
  }

  /** Listen before the handshake is over: the first messages may come with its answer. */
  attach(socket: WebSocket): void {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#message(data));
    socket.on('error', () => {});
    // A refused handshake closes its socket too; the error reports it, and another may be tried.
    socket.on('open', () => socket.on('close', () => this.#closed()));
  }

  /** Once it is open. */
  watchPeer(): void {
    this.#peer = new PeerWatch(this.#socket, (why) => this.destroy(this.#failure(why)));
  }

  override _read(): void {
    if (!this.#socket.isPaused) return;
    this.#peer?.heard();
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      done(this.#failure('the connection was cut'));
      return;
    }
    const message = Buffer.allocUnsafe(chunk.length + 1);
    message[0] = DATA;
    message.set(chunk, 1);
    this.#socket.send(message, (error) => done(error ?? null));
  }

  /** What was written together leaves in one message. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #message(data: Buffer): void {
    this.#peer?.heard();
    const channel = data[0];
    if (channel !== DATA && channel !== ERROR) return;
    let start = 1;
    if (!this.#greeted[channel]) {
      this.#greeted[channel] = true;
      start += PORT_BYTES;
    }
    if (data.length <= start) return;
    if (channel === ERROR) this.destroy(this.#failure(data.toString('utf8', start, ERROR_MAXIMUM).trim()));
    else if (!this.push(data.subarray(start))) this.#socket.pause();
  }

  #closed(): void {
    if (!this.readableEnded) this.push(null);
    this.destroy();
  }

  #failure(why: string): KsnoopError {
    const { namespace, pod, port } = this.#request;
    return new KsnoopError('PORT_FORWARD_FAILED', `The port-forward to ${namespace}/${pod}:${port} failed: ${why}`);
  }
}
