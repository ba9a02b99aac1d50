import type { Readable, Writable } from 'node:stream';
import type { EdgeRequest, EndReason } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { LEASE_MS } from '../../wire/limits.ts';
import { PROTOCOL_TEXT, VERSION } from '../../wire/version.ts';
import { EDGE_MEMORY, LAST_EVENTS_MS, REFUSED_TICKETS } from '../limits.ts';
import { NODE_NAME } from '../netns/node.ts';
import type { DiskBudget } from '../spool/disk-budget.ts';
import { type MemoryShare, noMemory } from '../spool/memory-budget.ts';
import { Spool } from '../spool/spool.ts';
import { SpoolFile } from '../spool/spool-file.ts';
import { CaptureSession } from './capture-session.ts';
import { listen } from './control.ts';
import { EdgeOutput } from './edge-output.ts';
import { Events } from './events.ts';
import { nonBlockingStdio } from './non-blocking-stdio.ts';
import type { Resources } from './resources.ts';
import type { SessionTickets } from './session-tickets.ts';

/** How one session is talked to. */
export interface AgentStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Without a word of the client for this long the capture ends. */
  leaseMs(): number;
  /** The session has ended: nothing more is written. The code is for the client, when everything was delivered. */
  finish(code: number): void;
  /** The client is gone: the rest would not be read, so it is not waited for. */
  abandon(): void;
}

/** The process's own streams, as exec and `--local` give them. The process ends with its session. */
export function ownStreams(): AgentStreams {
  const finish = (code: number) => process.exit(code);
  return {
    stdin: process.stdin,
    stdout: nonBlockingStdio(1),
    stderr: nonBlockingStdio(2),
    leaseMs: () => LEASE_MS,
    finish,
    abandon: () => finish(1),
  };
}

/** The file for packets that do not fit in memory: set by the DaemonSet; a local agent has memory only. */
function spoolFile(budget: DiskBudget, failed: (why: string) => void): SpoolFile | undefined {
  const directory = process.env.KSNOOP_SPOOL;
  if (directory === undefined) return undefined;
  try {
    return new SpoolFile(directory, budget);
  } catch (thrown) {
    failed(messageOf(thrown));
    return undefined;
  }
}

/** One session with one client, from the hello event to the end of its streams. */
export class Session {
  readonly #streams: AgentStreams;
  readonly #memory: MemoryShare;
  readonly #tickets: SessionTickets | undefined;
  readonly #events: Events;
  readonly #spool: Spool;
  readonly #resources: Resources;
  /** Analyses the packets, where the client asked for that. */
  #edge: EdgeOutput | undefined;
  readonly #unlisten: () => void;
  #capture: CaptureSession | undefined;
  #over = false;
  /** Tickets that were refused since one was taken. */
  #refused = 0;

  /**
   * @param memory what it may take of the process's memory; it is closed with the session
   * @param tickets what it may capture, and until when; left out: everything
   */
  constructor(streams: AgentStreams, resources: Resources, memory: MemoryShare, tickets?: SessionTickets) {
    this.#streams = streams;
    this.#resources = resources;
    this.#tickets = tickets;
    this.#memory = memory;
    this.#events = new Events(streams.stderr);
    const said = (why: string) => {
      const message = `packets are kept in memory alone while the client is slow: ${why}`;
      this.#events.send({ type: 'log', message });
    };
    const file = spoolFile(resources.disk, said);
    this.#spool = new Spool(streams.stdout, { file, fileFailed: said, memory });
    const kills = resources.kills();
    const hello = { type: 'hello', protocol: PROTOCOL_TEXT, version: VERSION, node: NODE_NAME } as const;
    this.#events.send({ ...hello, ...(kills !== undefined && { kills }) });
    this.#unlisten = listen(
      streams.stdin,
      {
        request: (wanted) => {
          const request = tickets?.request(wanted) ?? wanted;
          if (wanted.edge !== undefined) this.#analyse(wanted.edge);
          this.#capture = new CaptureSession(request, this.#spool, this.#events, resources, tickets);
          this.#capture.run().then(
            () => this.#end(0),
            (thrown) => this.fail(thrown),
          );
        },
        stop: () => this.#capture?.stop('stopped'),
        acknowledge: () => this.#capture?.acknowledge(),
        clock: (sentAt) => this.#events.send({ type: 'clock', sentAt, time: Date.now() }),
        add: (target) => this.#add(target),
        remove: (key) => {
          tickets?.remove(key);
          this.#capture?.remove(key);
        },
        notAlone: () => {
          this.#edge?.notAlone();
          this.#events.send({ type: 'not-alone' });
        },
        ticket: (text) => this.#renew(text),
        closed: () => this.#abandon('stdin-closed'),
        leaseLost: () => {
          if (this.#capture === undefined || this.#spool.waiting > 0) this.#abandon('lease');
          else this.#capture.stop('lease');
        },
        invalid: (error) => this.fail(error),
      },
      () => streams.leaseMs(),
    );
    tickets?.watch({ expired: (key) => this.#capture?.remove(key), over: () => this.stop('tickets') });
  }

  /** End in good order; at once when nothing was requested yet. */
  stop(reason: EndReason): void {
    if (this.#capture === undefined) this.#abandon(reason);
    else this.#capture.stop(reason);
  }

  /** End with an error that the client learns. */
  fail(thrown: unknown): void {
    if (this.#over) return;
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
    const { code, message, hint } = error;
    this.#capture?.abandon('failed');
    this.#events.send({ type: 'failed', code, message, ...(hint && { hint }) });
    void this.#end(1);
  }

  /** The packets are analysed here. @throws KsnoopError NO_MEMORY, EDGE_FAILED */
  #analyse(request: EdgeRequest): void {
    // The memory of an analysis is not for tenants: their packets travel, and their clients analyse them.
    if (this.#tickets !== undefined) return;
    const { memory } = this.#resources;
    if (memory.begin(EDGE_MEMORY) === undefined) throw noMemory(memory);
    this.#edge = new EdgeOutput({
      request,
      stdout: this.#streams.stdout,
      waiting: () => this.#spool.waiting,
      failed: (error) => this.fail(error),
    });
    this.#spool.redirect(this.#edge);
  }

  #add(target: AgentTarget): void {
    try {
      this.#capture?.add(this.#tickets?.target(target) ?? target);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      const { code, message } = thrown;
      this.#events.send({ type: 'target-failed', target: target.key, code, message });
    }
  }

  /**
   * Where it is refused the session goes on with the tickets it has, but not with any number of refused ones: each takes the time of
   * all sessions. An agent without tickets needs none.
   */
  #renew(text: string): void {
    if (this.#over) return;
    try {
      this.#tickets?.renew(text);
      this.#refused = 0;
    } catch (thrown) {
      this.#refused += 1;
      if (this.#refused > REFUSED_TICKETS) this.fail(thrown);
      else this.#events.send({ type: 'log', message: messageOf(thrown) });
    }
  }

  async #end(code: number): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#unlisten();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, LAST_EVENTS_MS);
    });
    await Promise.race([this.#events.flushed(), late]);
    clearTimeout(timer);
    this.#close();
    this.#streams.finish(code);
  }

  #abandon(reason: EndReason): void {
    if (this.#over) return;
    this.#over = true;
    this.#unlisten();
    this.#capture?.abandon(reason);
    this.#close();
    this.#streams.abandon();
  }

  #close(): void {
    this.#tickets?.close();
    this.#spool.close();
    this.#edge?.close();
    this.#memory.close();
  }
}
