import { Duplex } from 'node:stream';
import { KsnoopError } from '../../wire/errors.ts';
import { SENTENCE_MAXIMUM } from '../../wire/limits.ts';
import { ADMINISTRATORS_SOCKET, AGENT_PORT } from '../../wire/session-frame.ts';
import { AGENT_CONTAINER, AGENT_NAMESPACE } from '../agent-objects.ts';
import { type ExecEnd, type ExecStream, openExec } from '../kube/exec.ts';
import type { Kube } from '../kube/kube.ts';

/**
 * Connect their streams to the agent's port, or to the socket of an agent whose port needs tickets (nc(1) of OpenBSD); -N passes the
 * end of stdin on. In the agent's image.
 */
const COMMANDS = {
  port: ['/bin/nc.openbsd', '-N', '127.0.0.1', String(AGENT_PORT)],
  socket: ['/bin/nc.openbsd', '-N', '-U', ADMINISTRATORS_SOCKET],
} as const;

/** Where an agent listens. */
export type AgentEndpoint = keyof typeof COMMANDS;

/**
 * A connection to the agent by exec, for where port-forward is not allowed: a small program in the agent's container relays
 * it. An end of either side ends both.
 * @param signal rejects while the connection is being opened, and cuts it later
 * @returns the connection. It is destroyed with EXEC_FAILED when the container has no such program (an older agent), and with
 * NO_AGENT_AT_PORT when the agent does not listen
 * @throws KsnoopError as openExec does
 */
export async function openExecConnection(
  kube: Kube,
  pod: string,
  endpoint: AgentEndpoint,
  signal: AbortSignal,
): Promise<Duplex> {
  const connection = new ExecConnection();
  const request = {
    namespace: AGENT_NAMESPACE,
    pod,
    container: AGENT_CONTAINER,
    command: COMMANDS[endpoint],
    stdin: true,
    onStdout: (bytes: Uint8Array) => connection.output(bytes),
    onStderr: (bytes: Uint8Array) => connection.errorOutput(bytes),
  };
  connection.attach(await openExec(kube, request, signal));
  return connection;
}

class ExecConnection extends Duplex {
  #stream: ExecStream | undefined;
  /** What the program printed on stderr, up to SENTENCE_MAXIMUM characters. */
  #stderr = '';

  constructor() {
    super({ allowHalfOpen: false });
    // It may break before a listener is added, and an 'error' event without a listener would end the process.
    this.on('error', () => {});
  }

  attach(stream: ExecStream): void {
    this.#stream = stream;
    void stream.ended.then((end) => this.#ended(end));
  }

  output(bytes: Uint8Array): void {
    if (!this.push(bytes)) this.#stream?.pause();
  }

  errorOutput(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('utf8', 0, SENTENCE_MAXIMUM);
    this.#stderr = `${this.#stderr}${text}`.slice(0, SENTENCE_MAXIMUM);
  }

  override _read(): void {
    if (this.#stream?.paused) this.#stream.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // Where the connection has broken, `ended` reports it.
    void this.#stream?.write(chunk).then(() => done());
  }

  /** What was written together leaves in one message. */
  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: () => void): void {
    if (this.#stream?.canEndStdin) this.#stream.endStdin();
    else this.#stream?.terminate();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#stream?.terminate();
    done(error);
  }

  #ended(end: ExecEnd): void {
    if (end.kind !== 'exited') {
      this.destroy(end.error);
      return;
    }
    if (end.code === 0) {
      if (!this.readableEnded) this.push(null);
      this.destroy();
      return;
    }
    const why = this.#stderr.trim() || `nc ended with code ${end.code}`;
    this.destroy(new KsnoopError('NO_AGENT_AT_PORT', `The agent does not answer at its port: ${why}.`));
  }
}
