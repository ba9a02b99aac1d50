import { AsyncLocalStorage } from 'node:async_hooks';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { BATCH_BYTES } from '../../wire/batches.ts';
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
import { CLIENT_MESSAGE_MAXIMUM, EVENT_FLOOR, FINISH_CHECK_MS, SPOOL_FLOOR } from '../limits.ts';
import type { AgentStreams } from '../session/run-session.ts';
import { Allowance } from '../spool/allowance.ts';
import type { MemoryShare } from '../spool/memory-budget.ts';
import { CompressingLink } from './compressing-link.ts';
import { CompressionChoice } from './compression-choice.ts';

/** What a websocket reports for a close frame without a code (RFC 6455, 7.1.5). */
const CLOSED_IN_ORDER = 1005;

export interface WebSocketStreamsOptions {
  /** The session's part of the memory; left out: the channels' bounds alone count. */
  readonly memory?: MemoryShare;
  /** Called once, when the session is over: it takes no more connections. */
  readonly ended: (code: number) => void;
}

/** What one channel keeps for a client that does not acknowledge, bytes. */
interface ChannelBounds {
  readonly bound: number;
  /** In any case, the next write included. */
  readonly floor: number;
  /** Of the next write. */
  readonly next: number;
}

/**
 * The streams of a capture carried over websockets, one after the other: each connection that the session listener hands over takes
 * the place of the one before, and continues where that one ended.
 */
export class WebSocketStreams implements AgentStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly #session: Resumable;
  readonly #http = createServer();
  readonly #webSockets: WebSocketServer;
  readonly #memory: MemoryShare | undefined;
  readonly #ended: (code: number) => void;
  /** What the session does is its own, also where a connection, which is the listener's, starts it. */
  readonly #inContext = AsyncLocalStorage.snapshot();
  readonly #allowances = new Map<number, Allowance>();
  /** Writers that wait until more is acknowledged, by channel. */
  readonly #waiting = new Map<number, () => void>();
  #socket: WebSocket | undefined;
  #choice = new CompressionChoice('off');
  /** Bytes of stdout: written, and those of them that were reported to #choice as acknowledged. */
  #written = 0;
  #counted = 0;
  #lastMessageAt = performance.now();
  #windowMs = RESUME_WINDOW_MS;
  /** The code, once the session's last byte has been written. */
  #code: number | undefined;
  #watch: NodeJS.Timeout | undefined;
  #over = false;

  constructor({ memory, ended }: WebSocketStreamsOptions) {
    this.#memory = memory;
    this.#ended = ended;
    this.stdin = new Readable({ read: () => {} });
    this.#session = new Resumable(AGENT_CHANNELS, CLIENT_CHANNELS, {
      // The bytes lie in the message; a copy of a line is nothing.
      take: (_, bytes) => void this.stdin.push(Buffer.from(bytes)),
      acknowledged: (channel) => this.#acknowledged(channel),
    });
    this.stdout = this.#writable(CHANNEL.stdout, { bound: RESUME_BYTES, floor: SPOOL_FLOOR, next: BATCH_BYTES });
    this.stderr = this.#writable(CHANNEL.stderr, { bound: RESUME_EVENT_BYTES, floor: EVENT_FLOOR, next: 0 });
    memory?.count(() => this.stderr.writableLength);
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
    if (this.#over) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    socket.unshift(head);
    this.#http.emit('connection', socket);
    socket.resume();
  }

  /** Bytes that were written and are not acknowledged. */
  get unacknowledged(): number {
    return AGENT_CHANNELS.reduce((sum, channel) => sum + this.#session.unacknowledged(channel), 0);
  }

  finish(code: number): void {
    if (this.#over || this.#code !== undefined) return;
    this.#code = code;
    this.#session.write(CHANNEL.exit, Buffer.from(String(code)));
    this.#watch = setInterval(() => {
      const isPast = performance.now() - this.#lastMessageAt >= this.#windowMs;
      if (this.unacknowledged === 0 || isPast) this.#end(code);
    }, FINISH_CHECK_MS);
  }

  abandon(): void {
    this.#end(1);
  }

  #end(code: number): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    this.#session.detach();
    this.#socket?.terminate();
    this.#socket = undefined;
    this.#waiting.clear();
    for (const stream of [this.stdin, this.stdout, this.stderr]) {
      stream.on('error', () => {});
      stream.destroy();
    }
    this.#ended(code);
  }

  #attach(webSocket: WebSocket): void {
    if (this.#over) {
      webSocket.terminate();
      return;
    }
    this.#socket?.terminate();
    this.#socket = webSocket;
    this.#lastMessageAt = performance.now();
    const renew = () => {
      this.#lastMessageAt = performance.now();
    };
    webSocket.on('ping', renew);
    webSocket.on('message', (data: Buffer) => {
      renew();
      if (this.#socket === webSocket) this.#inContext(() => this.#message(webSocket, data));
    });
    webSocket.on('error', () => {});
    webSocket.on('close', (code) => {
      if (this.#socket === webSocket) this.#inContext(() => this.#closed(code));
    });
    this.#session.attach(new CompressingLink(webSocket, this.#choice));
  }

  #message(webSocket: WebSocket, data: Buffer): void {
    try {
      this.#session.message(data);
    } catch {
      // Not our protocol: the connection is worth nothing, the session may be taken up by another.
      webSocket.terminate();
    }
  }

  #closed(code: number): void {
    this.#socket = undefined;
    this.#session.detach();
    // The client closes in good order when it has read the code.
    const isDone = code === ABANDON_CODE || code === CLOSED_IN_ORDER;
    if (isDone && this.#code !== undefined) this.#end(this.#code);
    else if (code === ABANDON_CODE) this.stdin.push(null);
  }

  #acknowledged(channel: number): void {
    if (channel === CHANNEL.stdout) {
      const taken = this.#written - this.#session.unacknowledged(channel);
      this.#choice.acknowledged(taken - this.#counted);
      this.#counted = taken;
    }
    this.#allowances.get(channel)?.giveBack();
    this.#waiting.get(channel)?.();
  }

  /**
   * Takes bytes until `bound` of them wait for their acknowledgement, or fewer where the container's memory is wanted
   * elsewhere: then back-pressure reaches the spool.
   */
  #writable(channel: number, { bound, floor, next }: ChannelBounds): Writable {
    const held = () => this.#session.unacknowledged(channel);
    // What was sent lies in the kernel too until the client has it.
    const allowed = { floor, held, cost: 2 };
    const allowance = this.#memory?.allow(allowed) ?? new Allowance({ ...allowed, grant: () => true });
    this.#allowances.set(channel, allowance);
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (channel === CHANNEL.stdout) this.#written += chunk.length;
        this.#session.write(channel, chunk);
        const full = () => {
          const unacknowledged = held();
          return unacknowledged >= bound || !allowance.admits(unacknowledged + next);
        };
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
