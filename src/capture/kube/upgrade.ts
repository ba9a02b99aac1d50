import WebSocket from 'ws';
import { Deadline } from '../../wire/deadline.ts';
import { systemCode } from '../../wire/errors.ts';
import { onConnected } from './api.ts';
import { connectionFailure, refusal, timeout } from './failures.ts';
import { bodyText, type Kube } from './kube.ts';
import { CONNECT_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MESSAGE_MAXIMUM, REFUSAL_MAXIMUM } from './limits.ts';

/** A websocket to open on the API server. */
export interface Upgrade {
  readonly url: URL;
  /** The API's path without the server's prefix, for the rule an error names. */
  readonly path: string;
  readonly protocols: readonly string[];
  /** Called with each socket before its handshake, to listen on it; the last one is the one that opened. */
  attach(socket: WebSocket): void;
}

/**
 * Open a websocket, as exec and port-forward need it: no compression, no validation of what is binary anyway, with
 * time limits and the server's message when it refuses.
 * @throws KsnoopError as `refusal` and `connectionFailure`; the signal's reason when it aborts
 */
export async function upgrade(kube: Kube, request: Upgrade, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await handshake(kube, request, signal);
    if (outcome === 'open') return;
    if (outcome === 'stale' && attempt < 3) continue;
    if (outcome === 'unauthorized' && attempt === 1 && kube.renew()) continue;
    throw outcome instanceof Error ? outcome : refusal(kube, { method: 'GET', path: request.path }, 401, '');
  }
}

async function handshake(
  kube: Kube,
  request: Upgrade,
  signal: AbortSignal | undefined,
): Promise<'open' | 'stale' | 'unauthorized' | Error> {
  signal?.throwIfAborted();
  const options = await kube.options();
  let reused = false;
  const socket = new WebSocket(request.url, [...request.protocols], {
    ...options,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MESSAGE_MAXIMUM,
    finishRequest: (outgoing) => {
      const late = (doing: 'connect' | 'answer', limit: number) =>
        new Deadline(limit, () => outgoing.destroy(timeout(kube, doing, limit)));
      let deadline = late('connect', CONNECT_TIMEOUT_MS);
      onConnected(outgoing, () => {
        deadline.clear();
        deadline = late('answer', HANDSHAKE_TIMEOUT_MS);
      });
      outgoing.on('upgrade', () => deadline.clear());
      outgoing.on('close', () => deadline.clear());
      outgoing.on('socket', () => {
        reused = outgoing.reusedSocket;
      });
      outgoing.end();
    },
  });
  request.attach(socket);
  return new Promise((resolve, reject) => {
    const stop = () => socket.terminate();
    signal?.addEventListener('abort', stop, { once: true });
    const settle = () => signal?.removeEventListener('abort', stop);
    socket.on('open', () => {
      settle();
      resolve('open');
    });
    socket.on('unexpected-response', (_, response) => {
      bodyText(response, REFUSAL_MAXIMUM)
        .catch(() => '')
        .then((body) => {
          settle();
          const status = response.statusCode ?? 0;
          resolve(status === 401 ? 'unauthorized' : refusal(kube, { method: 'GET', path: request.path }, status, body));
          socket.terminate();
        });
    });
    socket.on('error', (cause) => {
      settle();
      if (signal?.aborted) reject(signal.reason);
      else if (reused && ['ECONNRESET', 'EPIPE'].includes(systemCode(cause) ?? '')) resolve('stale');
      else resolve(connectionFailure(kube, cause));
    });
  });
}
