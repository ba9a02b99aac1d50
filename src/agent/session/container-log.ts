import { writeFileSync } from 'node:fs';
import { isInCluster } from '../netns/node.ts';
import type { Proc } from '../netns/proc.ts';
import { agentProcesses } from './agent-processes.ts';

/** One line of the log: facts of the agent itself, and under `claimed` what the client sent. */
export interface LogEntry {
  readonly event: 'capture' | 'end';
  readonly [member: string]: string | number | undefined;
}

/** Digits of a session's id in the log: enough to find it by. */
const SESSION_DIGITS = 8;

/** What is neither printable ASCII nor escaped by JSON: C1 controls and bidi marks among it. */
const NOT_ASCII = /[\u007f-\uffff]/g;

/** One line of the log: JSON in ASCII, so that no text in it can end the line or look like another one. */
export function jsonLine(time: Date, members: Readonly<Record<string, string | number | undefined>>): string {
  const json = JSON.stringify({ time: time.toISOString(), ...members });
  return `${json.replace(NOT_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

/** A line about a session. */
export function logLine(time: Date, session: string, entry: LogEntry): string {
  return jsonLine(time, { session: session.slice(0, SESSION_DIGITS), ...entry });
}

/**
 * The log of the agent's container, where an administrator sees what was captured: stdout of the agent's idle process.
 * Outside a container there is no log, and nothing is written.
 */
export class ContainerLog {
  readonly #proc: Proc;
  readonly #session: string;
  #path: string | undefined;

  /** @param path its file, where it is known; else the idle process is looked for */
  constructor(proc: Proc, session: string, path: string | undefined) {
    this.#path = path;
    this.#proc = proc;
    this.#session = session;
  }

  write(entry: LogEntry): void {
    if (!isInCluster()) return;
    this.#path ??= this.#find();
    if (this.#path === undefined) return;
    try {
      writeFileSync(this.#path, logLine(new Date(), this.#session, entry));
    } catch {
      // The log is an administrator's convenience; the capture does not depend on it.
    }
  }

  #find(): string | undefined {
    const [idle] = agentProcesses(this.#proc, ['idle']);
    return idle === undefined ? undefined : this.#proc.path(idle, 'fd', 1);
  }
}
