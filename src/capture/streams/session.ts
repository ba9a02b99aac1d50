import { type AgentEvent, type CaptureRequest, type Control, parseAgentEvent } from '../../wire/agent-protocol.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { HEARTBEAT_MS, SENTENCE_MAXIMUM } from '../../wire/limits.ts';
import { lineSplitter } from '../../wire/lines.ts';
import { Silence } from '../../wire/silence.ts';
import { checkProtocol } from '../../wire/version.ts';
import { SILENCE_MS, STRAY_LINES } from '../limits.ts';
import { agentError } from './agent-error.ts';
import type { MergeSource } from './merge-source.ts';
import type { AgentTransport, OpenTransport, TransportEnd } from './transport.ts';

export type SessionEnd =
  /** The end marker was read: every byte the agent wrote is here. */
  | { readonly kind: 'complete' }
  /** The agent refused (bad filter, no such interface), or could not be reached at all. */
  | { readonly kind: 'refused'; readonly error: KsnoopError }
  /** It ran and broke off: what it had not sent is missing. */
  | { readonly kind: 'lost'; readonly error: KsnoopError };

/**
 * One session with one agent: sends the request, keeps the lease, gives the packets to the merge, notices silence, and
 * acknowledges the end marker once it has been read.
 */
export class AgentSession {
  readonly #request: CaptureRequest;
  readonly #source: MergeSource;
  readonly #onEvent: (event: AgentEvent) => void;
  /** The first lines that are not the protocol, up to SENTENCE_MAXIMUM characters. */
  #stray = '';
  #strayLines = 0;
  readonly #early: Control[] = [];
  readonly #abort = new AbortController();
  #transport: AgentTransport | undefined;
  #failure: KsnoopError | undefined;
  #endAnnounced = false;
  #acknowledged = false;
  #stopping = false;
  #paused = false;
  readonly #silence = new Silence();

  constructor(request: CaptureRequest, source: MergeSource, onEvent: (event: AgentEvent) => void) {
    this.#request = request;
    this.#source = source;
    this.#onEvent = onEvent;
  }

  /** How the agent is reached; undefined before it is. */
  get transport(): string | undefined {
    return this.#transport?.name;
  }

  /** Run to the end. Never rejects: how it ended is its answer. */
  async run(open: OpenTransport): Promise<SessionEnd> {
    const splitLines = lineSplitter((line) => this.#takeLine(line));
    const guarded = (take: (chunk: Uint8Array) => void) => (chunk: Uint8Array) => {
      this.#silence.heard();
      if (this.#failure !== undefined) return;
      try {
        take(chunk);
      } catch (thrown) {
        this.#fail(thrown instanceof KsnoopError ? thrown : new KsnoopError('BAD_STREAM', messageOf(thrown)));
      }
    };
    const opening = `${JSON.stringify(this.#request)}\n`;
    const handlers = {
      opening,
      stdout: guarded((chunk) => {
        this.#source.push(chunk);
        this.#acknowledge();
      }),
      stderr: guarded(splitLines),
      note: (message: string) => this.#onEvent({ type: 'log', message }),
    };
    let watch: NodeJS.Timeout | undefined;
    try {
      const transport = await open(handlers, this.#abort.signal);
      this.#transport = transport;
      // Broken off while it was being opened, by a transport that takes no notice: its agent may not stay behind.
      if (this.#abort.signal.aborted) transport.terminate();
      this.#silence.heard();
      if (transport.openingSent !== true) transport.write(opening);
      this.#askClock();
      for (const control of this.#early.splice(0)) this.send(control);
      if (this.#stopping) this.send({ type: 'stop' });
      if (this.#paused) transport.pause();
      watch = setInterval(() => this.#keepAlive(), HEARTBEAT_MS);
      return this.#settle(await transport.ended);
    } catch (thrown) {
      const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('SESSION_FAILED', messageOf(thrown));
      return { kind: 'refused', error };
    } finally {
      clearInterval(watch);
      this.#source.end();
    }
  }

  /** Send a control message to the agent; before it is connected, targets are kept until it is. */
  send(control: Control): void {
    if (this.#transport !== undefined) this.#transport.write(`${JSON.stringify(control)}\n`);
    else if (control.type === 'add' || control.type === 'remove' || control.type === 'not-alone')
      this.#early.push(control);
  }

  /** Ask the agent to end: what it has captured still comes, then the end marker. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.send({ type: 'stop' });
  }

  /** Break off at once; what is under way is lost. */
  terminate(): void {
    this.#abort.abort();
    this.#transport?.terminate();
  }

  pause(): void {
    this.#paused = true;
    this.#transport?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#silence.heard();
    this.#transport?.resume();
  }

  #keepAlive(): void {
    this.send({ type: 'heartbeat' });
    this.#askClock();
    const silenceMs = this.#transport?.silenceMs ?? SILENCE_MS;
    const silentMs = this.#silence.look(HEARTBEAT_MS);
    // Nothing is heard while paused, and that is our own doing.
    if (this.#paused || silentMs < silenceMs) return;
    this.#fail(new KsnoopError('AGENT_SILENT', `The agent has sent nothing for ${silenceMs / 1000} s.`));
  }

  #askClock(): void {
    this.send({ type: 'clock', sentAt: Date.now() });
  }

  #fail(error: KsnoopError): void {
    this.#failure ??= error;
    this.terminate();
  }

  #takeLine(line: string): void {
    let event: AgentEvent | undefined;
    try {
      event = parseAgentEvent(line);
    } catch {
      // Not the agent's protocol: output of the container runtime or of Node. Kept to explain an early end.
      if (this.#strayLines >= STRAY_LINES) return;
      this.#strayLines += 1;
      this.#stray = `${this.#stray} ${line.slice(0, SENTENCE_MAXIMUM)}`.slice(0, SENTENCE_MAXIMUM);
      return;
    }
    if (event === undefined) return;
    if (event.type === 'hello') checkProtocol(event.protocol, 'agent');
    if (event.type === 'clock') {
      this.#source.clock.add(event.sentAt, event.time, Date.now());
      return;
    }
    if (event.type === 'failed') {
      this.#failure ??= agentError(event);
      return;
    }
    if (event.type === 'end') {
      this.#endAnnounced = true;
      this.#acknowledge();
    }
    this.#onEvent(event);
  }

  #acknowledge(): void {
    if (!this.#endAnnounced || this.#acknowledged || this.#source.endMarker === undefined) return;
    this.#acknowledged = true;
    this.send({ type: 'acknowledge' });
  }

  #settle(end: TransportEnd): SessionEnd {
    if (this.#source.endMarker !== undefined) return { kind: 'complete' };
    if (this.#failure !== undefined) {
      const lost = this.#failure.code === 'AGENT_SILENT';
      return { kind: lost ? 'lost' : 'refused', error: this.#failure };
    }
    if (end.kind === 'failed') return { kind: 'refused', error: end.error };
    if (end.kind === 'lost') return { kind: 'lost', error: end.error };
    const output = this.#stray === '' ? '' : ` Its output:${this.#stray}`;
    const error = new KsnoopError(
      'AGENT_ENDED',
      `The agent ended with code ${end.code} before its end marker.${output}`,
    );
    return this.#source.bytes === 0 && end.code !== 137 ? { kind: 'refused', error } : { kind: 'lost', error };
  }
}
