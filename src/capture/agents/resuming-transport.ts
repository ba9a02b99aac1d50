import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { Backoff } from '../../wire/backoff.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { Resumable } from '../../wire/resumable.ts';
import {
  ABANDON_CODE,
  AGENT_CHANNELS,
  CHANNEL,
  CLIENT_CHANNELS,
  type Compression,
  type SessionAddress,
} from '../../wire/session-frame.ts';
import {
  GOODBYE_MS,
  LINK_CHECK_MS,
  LINK_SILENCE_MS,
  RESUME_ATTEMPT_MS,
  RESUME_FIRST_MS,
  RESUME_LAST_MS,
  SILENCE_MS,
} from '../limits.ts';
import type { AgentTransport, OpenTransport, TransportEnd, TransportHandlers } from '../streams/transport.ts';
import { openLink, unpackFrame } from './agent-link.ts';
import { SessionKey } from './session-key.ts';

export interface ResumingOptions {
  /** How the connections are made, for people: `exec`, `port-forward`. */
  readonly name: string;
  /** A connection to the agent's port, always of the same agent. Rejects with a KsnoopError. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /** How long the agent keeps the session when it hears nothing, milliseconds. */
  readonly windowMs: number;
  readonly compress: Compression;
  /** The session's key, where the agent was started for it; left out: a new one. */
  readonly key?: SessionKey;
  /** A signed ticket (base64url), for an agent that takes new sessions with one only. */
  readonly ticket?: string | undefined;
  /** How long an agent may take to answer, milliseconds. */
  readonly handshakeMs: number;
}

/** Answers that another attempt to resume cannot change. */
const FINAL_CODES = new Set<ErrorCode>(['SESSION_GONE', 'FORBIDDEN', 'NOT_FOUND']);

/**
 * A session with an agent that outlives its connections: when one breaks, another is opened within the resume window and
 * continues behind the last byte received. The user of the transport notices nothing.
 */
export function resumingTransport(options: ResumingOptions): OpenTransport {
  return async (handlers, signal) => {
    const transport = new ResumingTransport(options, handlers);
    await transport.open(signal);
    return transport;
  };
}

class ResumingTransport implements AgentTransport {
  readonly ended: Promise<TransportEnd>;
  readonly openingSent: boolean;
  readonly silenceMs: number;
  readonly name: string;
  readonly #options: ResumingOptions;
  readonly #handlers: TransportHandlers;
  readonly #id = randomBytes(16).toString('hex');
  readonly #key: SessionKey;
  /** Requests to resume so far. */
  #attempts = 0;
  readonly #conversation: Resumable;
  readonly #abort = new AbortController();
  #settle: (end: TransportEnd) => void = () => {};
  #socket: WebSocket | undefined;
  #paused = false;
  #over = false;
  #heardAt = 0;
  #checkedAt = 0;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: ResumingOptions, handlers: TransportHandlers) {
    this.#options = options;
    this.name = options.name;
    this.#key = options.key ?? new SessionKey();
    this.#handlers = handlers;
    this.silenceMs = options.windowMs + SILENCE_MS;
    this.#conversation = new Resumable(CLIENT_CHANNELS, AGENT_CHANNELS, {
      take: (channel, bytes) => this.#take(channel, bytes),
      acknowledged: () => {},
    });
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.openingSent = handlers.opening !== undefined;
    if (handlers.opening !== undefined) this.write(handlers.opening);
  }

  async open(signal: AbortSignal): Promise<void> {
    await this.#connect(true, signal);
    this.#watch = setInterval(() => this.#check(), LINK_CHECK_MS);
  }

  write(text: string): void {
    if (!this.#over) this.#conversation.write(CHANNEL.stdin, Buffer.from(text, 'utf8'));
  }

  pause(): void {
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#heardAt = performance.now();
    this.#socket?.resume();
  }

  terminate(): void {
    this.#socket?.close(ABANDON_CODE);
    this.#end({ kind: 'lost', error: lost('it was cut on this side') });
  }

  async #connect(isNew: boolean, signal: AbortSignal): Promise<void> {
    const { dial, handshakeMs, ticket } = this.#options;
    const connection = await dial(signal);
    const address = isNew ? this.#opening() : this.#resumption();
    const attach = (socket: WebSocket) => this.#listen(socket, isNew);
    const early = isNew ? this.#early() : [];
    const request = { address, ...(isNew && { ticket }), timeoutMs: handshakeMs, attach, early };
    const opened = openLink(connection, request, signal);
    // In a turn of its own: whoever makes other requests now would hold this one back while it makes them.
    setImmediate(() => this.#handlers.underWay?.());
    await opened;
  }

  /**
   * The frames that a new session begins with, for the agent to have them with the request: its answer is not waited for. They
   * are sent again when it has come, and what comes twice is left out.
   */
  #early(): Uint8Array[] {
    if (!this.openingSent) return [];
    const frames: Uint8Array[] = [];
    this.#conversation.attach({ send: (frame) => void frames.push(frame) }, true);
    this.#conversation.detach();
    return frames;
  }

  #opening(): SessionAddress {
    const { windowMs, compress } = this.#options;
    return { id: this.#id, windowMs, compress, isNew: true, key: this.#key.public };
  }

  #resumption(): SessionAddress {
    const { windowMs, compress } = this.#options;
    this.#attempts += 1;
    const resumption = { id: this.#id, windowMs, compress, attempt: this.#attempts };
    return { ...resumption, isNew: false, proof: this.#key.sign(resumption) };
  }

  #listen(socket: WebSocket, isNew: boolean): void {
    socket.on('open', () => {
      if (this.#over) {
        socket.close(ABANDON_CODE);
        return;
      }
      this.#socket = socket;
      this.#heardAt = performance.now();
      this.#conversation.attach({ send: (frame) => socket.send(frame, () => {}) }, isNew);
      if (this.#paused) socket.pause();
    });
    socket.on('pong', () => {
      this.#heardAt = performance.now();
    });
    socket.on('message', (data: Buffer) => {
      if (this.#socket !== socket) return;
      this.#heardAt = performance.now();
      try {
        this.#conversation.message(unpackFrame(data));
      } catch (thrown) {
        this.#end({ kind: 'lost', error: lost(messageOf(thrown)) });
      }
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#conversation.detach();
      if (!this.#over) void this.#resume();
    });
  }

  #take(channel: number, bytes: Uint8Array): void {
    if (channel === CHANNEL.stdout) this.#handlers.stdout(bytes);
    else if (channel === CHANNEL.stderr) this.#handlers.stderr(bytes);
    else {
      // The agent waits until its exit code is acknowledged.
      this.#conversation.acknowledge();
      this.#socket?.close();
      this.#end({ kind: 'exited', code: Number(Buffer.from(bytes).toString('latin1')) });
    }
  }

  /** Take the session up again, until its window has passed for the agent. */
  async #resume(): Promise<void> {
    const began = performance.now();
    const deadline = this.#heardAt + this.#options.windowMs;
    const backoff = new Backoff(RESUME_FIRST_MS, RESUME_LAST_MS);
    let failure: unknown;
    do {
      try {
        const attempt = AbortSignal.any([this.#abort.signal, deadlineSignal(RESUME_ATTEMPT_MS)]);
        await this.#connect(false, attempt);
        const seconds = ((performance.now() - began) / 1000).toFixed(1);
        this.#handlers.note?.(`the connection broke and was resumed after ${seconds} s; nothing is missing`);
        return;
      } catch (thrown) {
        failure = thrown;
        if (this.#over) return;
        if (thrown instanceof KsnoopError && FINAL_CODES.has(thrown.code)) break;
      }
      await sleep(backoff.next(), undefined, { signal: this.#abort.signal }).catch(() => {});
    } while (!this.#over && performance.now() < deadline);
    this.#end({ kind: 'lost', error: lost(`it could not be resumed: ${messageOf(failure)}`) });
  }

  /** A connection that gives no sign of life is cut, so that another is tried while the window is open. */
  #check(): void {
    const now = performance.now();
    // This process itself was stopped for a while: what has come meanwhile is read first.
    if (now - this.#checkedAt > 2 * LINK_CHECK_MS) this.#heardAt = Math.max(this.#heardAt, now - LINK_CHECK_MS);
    this.#checkedAt = now;
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN || this.#paused) return;
    if (now - this.#heardAt > LINK_SILENCE_MS) socket.terminate();
    else socket.ping();
  }

  #end(end: TransportEnd): void {
    if (this.#over) return;
    this.#over = true;
    clearInterval(this.#watch);
    this.#abort.abort();
    this.#settle(end);
    const socket = this.#socket;
    // The closing handshake is under way; its answer is waited for GOODBYE_MS only.
    if (socket !== undefined) setTimeout(() => socket.terminate(), GOODBYE_MS).unref();
  }
}

function lost(why: string): KsnoopError {
  return new KsnoopError('STREAM_LOST', `The connection to the agent broke: ${why.replace(/\.$/, '')}.`);
}
