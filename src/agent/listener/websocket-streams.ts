import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { isObject, optionalString } from '../../wire/guard.ts';
import {
  RESUME_BYTES,
  RESUME_EVENT_BYTES,
  RESUME_WINDOW_MAXIMUM_MS,
  RESUME_WINDOW_MINIMUM_MS,
  RESUME_WINDOW_MS,
} from '../../wire/limits.ts';
import { Resumable } from '../../wire/resumable.ts';
import {
  ABANDON_CODE,
  AGENT_CHANNELS,
  CHANNEL,
  CLIENT_CHANNELS,
  parseSessionPath,
  SESSION_PROTOCOL,
} from '../../wire/session-frame.ts';
import { CLIENT_MESSAGE_MAXIMUM, FINISH_CHECK_MS, SPOOL_GRANT } from '../limits.ts';
import { ContainerMemory } from '../netns/container-memory.ts';
import { isInCluster } from '../netns/node.ts';
import type { AgentStreams } from '../session/run-session.ts';
import { CompressingLink } from './compressing-link.ts';
import { CompressionChoice } from './compression-choice.ts';

/**
 * The streams of a capture carried over websockets, one after the other: each connection that the session listener hands over takes
 * the place of the one before, and continues where that one ended.
 */
export function websocketStreams(): AgentStreams {
  const streams = new WebSocketStreams();
  process.on('message', (message: unknown, socket: Socket | undefined) => {
    if (socket === undefined || !isObject(message) || message.type !== 'connection') return;
    streams.connection(socket, Buffer.from(optionalString(message, 'head') ?? '', 'base64'));
  });
  // The waiting process is gone, and its container with it.
  process.on('disconnect', () => streams.stdin.push(null));
  return streams;
}

/** Makes one resumable session of the connections it is given. */
class WebSocketStreams implements AgentStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #session: Resumable;
  readonly #http = createServer();
  readonly #webSockets: WebSocketServer;
  readonly #memory = new ContainerMemory();
  /** Writers that wait until more is acknowledged, by channel. */
  readonly #waiting = new Map<number, () => void>();
  #socket: WebSocket | undefined;
  #choice = new CompressionChoice('off');
  /** Bytes of stdout: written, and those of them that were reported to #choice as acknowledged. */
  #written = 0;
  #counted = 0;
  #lastMessageAt = performance.now();
  #windowMs = RESUME_WINDOW_MS;

  constructor() {
    this.stdin = new Readable({ read: () => {} });
    this.#session = new Resumable(AGENT_CHANNELS, CLIENT_CHANNELS, {
      // The bytes lie in the message; a copy of a line is nothing.
      take: (_, bytes) => void this.stdin.push(Buffer.from(bytes)),
      acknowledged: (channel) => this.#acknowledged(channel),
    });
    this.stdout = this.#writable(CHANNEL.stdout, RESUME_BYTES);
    this.stderr = this.#writable(CHANNEL.stderr, RESUME_EVENT_BYTES);
    this.#webSockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: CLIENT_MESSAGE_MAXIMUM,
      handleProtocols: (offered) => offered.has(SESSION_PROTOCOL) && SESSION_PROTOCOL,
    });
    this.#http.on('upgrade', (request, socket, head) => {
      const address = parseSessionPath(request.url ?? '');
      const windowMs = address?.windowMs ?? RESUME_WINDOW_MS;
      this.#choice = new CompressionChoice(address?.compress ?? 'off');
      this.#windowMs = Math.min(Math.max(windowMs, RESUME_WINDOW_MINIMUM_MS), RESUME_WINDOW_MAXIMUM_MS);
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#attach(webSocket));
    });
  }

  leaseMs(): number {
    return this.#windowMs;
  }

  /** Take a connection whose first bytes have been read already. */
  connection(socket: Socket, head: Buffer): void {
    socket.setNoDelay(true);
    socket.unshift(head);
    this.#http.emit('connection', socket);
  }

  finish(code: number): void {
    this.#session.write(CHANNEL.exit, Buffer.from(String(code)));
    const watch = setInterval(() => {
      const open = AGENT_CHANNELS.some((channel) => this.#session.unacknowledged(channel) > 0);
      if (open && performance.now() - this.#lastMessageAt < this.#windowMs) return;
      clearInterval(watch);
      this.#socket?.terminate();
      process.exit(code);
    }, FINISH_CHECK_MS);
  }

  #attach(webSocket: WebSocket): void {
    this.#socket?.terminate();
    this.#socket = webSocket;
    this.#lastMessageAt = performance.now();
    const renew = () => {
      this.#lastMessageAt = performance.now();
    };
    webSocket.on('ping', renew);
    webSocket.on('message', (data: Buffer) => {
      renew();
      if (this.#socket !== webSocket) return;
      try {
        this.#session.message(data);
      } catch {
        // Not our protocol: the connection is worth nothing, the session may be taken up by another.
        webSocket.terminate();
      }
    });
    webSocket.on('error', () => {});
    webSocket.on('close', (code) => {
      if (this.#socket !== webSocket) return;
      this.#socket = undefined;
      this.#session.detach();
      if (code === ABANDON_CODE) this.stdin.push(null);
    });
    this.#session.attach(new CompressingLink(webSocket, this.#choice));
  }

  #acknowledged(channel: number): void {
    if (channel === CHANNEL.stdout) {
      const taken = this.#written - this.#session.unacknowledged(channel);
      this.#choice.acknowledged(taken - this.#counted);
      this.#counted = taken;
    }
    this.#waiting.get(channel)?.();
  }

  /** Where the container's memory is wanted elsewhere, little is kept for a client that does not acknowledge. */
  #isFull(unacknowledged: number, bound: number): boolean {
    return (
      unacknowledged >= bound || (unacknowledged >= SPOOL_GRANT && isInCluster() && !this.#memory.has(SPOOL_GRANT))
    );
  }

  /** Takes bytes until `bound` of them wait for their acknowledgement: then back-pressure reaches the spool. */
  #writable(channel: number, bound: number): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (channel === CHANNEL.stdout) this.#written += chunk.length;
        this.#session.write(channel, chunk);
        const full = () => this.#isFull(this.#session.unacknowledged(channel), bound);
        if (!full()) {
          done();
          return;
        }
        this.#waiting.set(channel, () => {
          if (full()) return;
          this.#waiting.delete(channel);
          done();
        });
      },
    });
  }
}
