import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AgentEvent, type CaptureRequest, parseAgentEvent } from '../../src/wire/agent-protocol.ts';
import type { AgentTarget } from '../../src/wire/agent-target.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { PROTOCOL_TEXT } from '../../src/wire/version.ts';
import { HANG_MS } from '../support/hang.ts';
import { AGENT } from '../support/ksnoop-process.ts';

export function captureRequest(targets: readonly AgentTarget[], more: Partial<CaptureRequest> = {}): CaptureRequest {
  return {
    type: 'capture',
    protocol: PROTOCOL_TEXT,
    session: randomBytes(16).toString('hex'),
    targets,
    interface: 'eth0',
    snaplen: 262_144,
    maxDurationMs: 600_000,
    ...more,
  };
}

/** `ksnoop-agent capture` as a process, with a client's side of the conversation to drive by hand. */
export class AgentProcess {
  readonly child: ChildProcess;
  readonly events: AgentEvent[] = [];
  readonly exited: Promise<number | string | null>;
  #received: Buffer[] = [];
  #bytes = 0;
  #wake: (() => void)[] = [];
  #heartbeat: NodeJS.Timeout | undefined;

  /** @param options.read false: leave stdout unread, as a client that hangs does */
  constructor(options: { read?: boolean; env?: Record<string, string>; keep?: boolean } = {}) {
    const [command, ...before] = AGENT;
    this.child = spawn(command, [...before, 'capture'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
    });
    this.child.stdin?.on('error', () => {});
    this.child.stderr?.on(
      'data',
      lineSplitter((line) => {
        const event = parseAgentEvent(line);
        if (event !== undefined) this.events.push(event);
        this.#tell();
      }),
    );
    if (options.read !== false) this.read(options.keep !== false);
    this.exited = once(this.child, 'exit').then(([code, signal]) => {
      clearInterval(this.#heartbeat);
      this.#tell();
      return code ?? signal;
    });
  }

  /** Read stdout from now on, and keep it. */
  read(keep = true): void {
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (keep) this.#received.push(chunk);
      this.#tell();
    });
  }

  get pid(): number {
    return this.child.pid ?? -1;
  }

  /** Everything read from stdout so far. */
  get output(): Buffer {
    return Buffer.concat(this.#received);
  }

  get outputBytes(): number {
    return this.#bytes;
  }

  say(message: object): void {
    this.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  /** Send the request, keep the lease, and wait until every target has started or failed. */
  async start(request: CaptureRequest): Promise<void> {
    this.say(request);
    this.#heartbeat = setInterval(() => this.say({ type: 'heartbeat' }), 1_000);
    const settled = (type: string) => type === 'started' || type === 'target-failed';
    await this.until(
      () =>
        this.events.filter(({ type }) => settled(type)).length >= request.targets.length ||
        this.events.some(({ type }) => type === 'failed') ||
        this.child.exitCode !== null,
    );
  }

  stopHeartbeat(): void {
    clearInterval(this.#heartbeat);
  }

  async until(condition: () => boolean): Promise<void> {
    const end = performance.now() + HANG_MS;
    while (!condition()) {
      if (performance.now() > end) throw new Error(`not in ${HANG_MS} ms; events: ${JSON.stringify(this.events)}`);
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        setTimeout(resolve, 50);
      });
    }
  }

  event<T extends AgentEvent['type']>(type: T): Extract<AgentEvent, { type: T }> | undefined {
    return this.events.find((event): event is Extract<AgentEvent, { type: T }> => event.type === type);
  }

  /** Stop as a client does: ask, wait for the end, acknowledge. @returns the exit code */
  async stop(): Promise<number | string | null> {
    this.say({ type: 'stop' });
    return this.finish();
  }

  /** Wait for the end event, acknowledge it, wait for the exit. */
  async finish(): Promise<number | string | null> {
    await this.until(() => this.event('end') !== undefined || this.child.exitCode !== null);
    this.say({ type: 'acknowledge' });
    return this.exited;
  }

  kill(): void {
    clearInterval(this.#heartbeat);
    this.child.kill('SIGKILL');
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}
