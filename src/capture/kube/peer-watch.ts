import WebSocket from 'ws';
import { PING_INTERVAL_MS } from './limits.ts';

/**
 * Pings the peer of an open websocket, so that load balancers do not cut the connection as idle, and so that a peer that went
 * without a word is noticed: then the websocket is cut, after two intervals at most. While it is paused, no answer can be read and none is missed.
 */
export class PeerWatch {
  readonly #socket: WebSocket;
  readonly #silent: (why: string) => void;
  readonly #pinging: NodeJS.Timeout;
  #alive = true;

  /** @param silent called with the reason before the websocket of a silent peer is cut */
  constructor(socket: WebSocket, silent: (why: string) => void) {
    this.#socket = socket;
    this.#silent = silent;
    socket.on('pong', () => this.heard());
    socket.on('close', () => clearInterval(this.#pinging));
    this.#pinging = setInterval(() => this.#check(), PING_INTERVAL_MS);
    this.#pinging.unref();
  }

  /** Something came from the peer, or can come again: it is given a whole interval from now. */
  heard(): void {
    this.#alive = true;
  }

  #check(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (!this.#alive && !this.#socket.isPaused) {
      this.#silent(`nothing came back for ${(2 * PING_INTERVAL_MS) / 1000} s`);
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }
}
