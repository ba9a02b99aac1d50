import type { Readable, Writable } from 'node:stream';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { LEASE_MS } from '../../wire/limits.ts';
import { PROTOCOL_TEXT, VERSION } from '../../wire/version.ts';
import { LAST_EVENTS_MS, PIPES_OF_FIRST, SPOOL_FILE_BYTES } from '../limits.ts';
import { ContainerMemory } from '../netns/container-memory.ts';
import { isInCluster, NODE_NAME } from '../netns/node.ts';
import { Spool } from '../spool/spool.ts';
import { SpoolFile } from '../spool/spool-file.ts';
import { preparePipes } from '../tcpdump/fifo.ts';
import { CaptureSession } from './capture-session.ts';
import { type ControlHandlers, listen } from './control.ts';
import { Events } from './events.ts';
import { nonBlockingStdio } from './non-blocking-stdio.ts';

/** How the agent's process is talked to. */
export interface AgentStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Without a word of the client for this long the capture ends. */
  leaseMs(): number;
  /** Ends the process when everything was delivered, or can no longer be. */
  finish(code: number): void;
}

/** The process's own streams, as exec and `--local` give them. */
export function ownStreams(): AgentStreams {
  const finish = (code: number) => process.exit(code);
  return {
    stdin: process.stdin,
    stdout: nonBlockingStdio(1),
    stderr: nonBlockingStdio(2),
    leaseMs: () => LEASE_MS,
    finish,
  };
}

/** Makes the pipes of a first capture while its request is on the way. An error is reported when they are used. */
function prepareFirst(): void {
  try {
    preparePipes(PIPES_OF_FIRST);
  } catch {
    // makePipe tries again, and its capture reports the error.
  }
}

/** The file for packets that do not fit in memory: set by the DaemonSet; a local agent has memory only. */
function spoolFile(failed: (why: string) => void): SpoolFile | undefined {
  const directory = process.env.KSNOOP_SPOOL;
  if (directory === undefined) return undefined;
  try {
    return new SpoolFile(directory, SPOOL_FILE_BYTES);
  } catch (thrown) {
    failed(messageOf(thrown));
    return undefined;
  }
}

/** One session with one client, from the hello event to the end of the process. */
export function runSession(streams: AgentStreams): void {
  const events = new Events(streams.stderr);
  const memory = new ContainerMemory();
  const said = (why: string) => {
    const message = `packets are kept in memory alone while the client is slow: ${why}`;
    events.send({ type: 'log', message });
  };
  const grant = (bytes: number) => !isInCluster() || memory.has(bytes);
  const spool = new Spool(streams.stdout, { file: spoolFile(said), fileFailed: said, grant });
  let session: CaptureSession | undefined;
  const end = async (code: number) => {
    await Promise.race([events.flushed(), new Promise((resolve) => setTimeout(resolve, LAST_EVENTS_MS))]);
    streams.finish(code);
  };
  const refuse = (thrown: unknown) => {
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
    const { code, message, hint } = error;
    session?.abandon();
    events.send({ type: 'failed', code, message, ...(hint && { hint }) });
    void end(1);
  };
  /** The client is gone: the rest would not be read, so it is not waited for. */
  const abandon = () => {
    session?.abandon();
    process.exit(1);
  };
  events.send({ type: 'hello', protocol: PROTOCOL_TEXT, version: VERSION, node: NODE_NAME });
  setImmediate(prepareFirst);
  const handlers: ControlHandlers = {
    request: (request) => {
      session = new CaptureSession(request, spool, events, memory);
      session.run().then(() => end(0), refuse);
    },
    stop: () => session?.stop('stopped'),
    acknowledge: () => session?.acknowledge(),
    clock: (sentAt) => events.send({ type: 'clock', sentAt, time: Date.now() }),
    add: (target) => session?.add(target),
    remove: (key) => session?.remove(key),
    closed: abandon,
    leaseLost: () => {
      if (session === undefined || spool.waiting > 0) abandon();
      else session.stop('lease');
    },
    invalid: refuse,
  };
  listen(streams.stdin, handlers, () => streams.leaseMs());
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => (session === undefined ? process.exit(0) : session.stop('signal')));
  }
}
