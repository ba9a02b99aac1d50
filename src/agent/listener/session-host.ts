import { AsyncLocalStorage } from 'node:async_hooks';
import type { Socket } from 'node:net';
import type { EndReason } from '../../wire/agent-protocol.ts';
import { messageOf } from '../../wire/errors.ts';
import { FLOORS, PIPES_AGAIN_MS, PIPES_OF_FIRST, SESSION_MEMORY } from '../limits.ts';
import { ContainerMemory } from '../netns/container-memory.ts';
import { hostResources } from '../session/resources.ts';
import { Session } from '../session/run-session.ts';
import type { SessionTickets } from '../session/session-tickets.ts';
import { readyPipes } from '../tcpdump/fifo.ts';
import { collectDeadBuffers } from './dead-buffers.ts';
import type { SessionConnections } from './session-listener.ts';
import { WebSocketStreams } from './websocket-streams.ts';

/** What ends when an exception occurs in it that nothing catches. */
export interface Failing {
  fail(thrown: unknown): void;
}

/** The sessions of the waiting process: all run in it, and an exception in one of them ends that one alone. */
export class SessionHost {
  readonly #log: (text: string) => void;
  /** What all sessions share. */
  readonly resources = hostResources(new ContainerMemory());
  readonly #sessions = new Set<Session>();
  /** Ends the look at dead buffers, which goes on while there are sessions. */
  #release = () => {};
  /** The session that runs now, through all that it waits for. */
  readonly #running = new AsyncLocalStorage<{ session: Failing | undefined }>();

  /** @param log writes to the container's log */
  constructor(log: (text: string) => void) {
    this.#log = log;
    process.on('uncaughtException', (thrown) => this.#failed(thrown));
    process.on('unhandledRejection', (thrown) => this.#failed(thrown));
    void readyPipes(PIPES_OF_FIRST);
  }

  /** Whether there is memory for another session. */
  admits(): boolean {
    return this.resources.memory.admit(SESSION_MEMORY, FLOORS);
  }

  /**
   * Start a session.
   * @param ended called when it is over
   * @param tickets what it may capture; left out: everything
   */
  start(ended: () => void, tickets?: SessionTickets): SessionConnections {
    const owner: { session: Session | undefined } = { session: undefined };
    const memory = this.resources.memory.open();
    // Neither in the context of the session, which may end before the others.
    setTimeout(() => void readyPipes(PIPES_OF_FIRST), PIPES_AGAIN_MS);
    if (this.#sessions.size === 0) {
      this.#release();
      this.#release = collectDeadBuffers(this.resources.memory);
    }
    return this.#running.run(owner, () => {
      const streams = new WebSocketStreams({
        memory,
        ended: () => {
          if (owner.session !== undefined) this.#sessions.delete(owner.session);
          if (this.#sessions.size === 0) this.#release();
          ended();
        },
      });
      const session = new Session(streams, this.resources, memory, tickets);
      owner.session = session;
      this.#sessions.add(session);
      return {
        connection: (socket: Socket, head: Buffer) => this.#running.run(owner, () => streams.connection(socket, head)),
      };
    });
  }

  /** Run a task so that an exception in it, now or later, ends its owner alone, as that of a session does. */
  protect<Result>(owner: Failing, task: () => Result): Result {
    return this.#running.run({ session: owner }, task);
  }

  /** End all sessions in good order. */
  stop(reason: EndReason): void {
    for (const session of this.#sessions) session.stop(reason);
  }

  /** An exception that nothing has caught. One that is of no session leaves this process in an unknown state. */
  #failed(thrown: unknown): void {
    const session = this.#running.getStore()?.session;
    const what = thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
    this.#log(`${session === undefined ? 'the agent ends' : 'a session ends'} after an internal error: ${what}`);
    if (session === undefined) process.exit(1);
    session.fail(thrown);
  }
}
