import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { vi } from 'vitest';
import { resumingTransport } from '../../src/capture/agents/resuming-transport.ts';
import type { AgentTransport } from '../../src/capture/streams/transport.ts';
import { type AgentEvent, type CaptureRequest, parseAgentEvent } from '../../src/wire/agent-protocol.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { HANG_MS } from '../support/hang.ts';

/** A process that hosts sessions (hosting-agent.ts). */
export class HostedAgent {
  readonly child: ChildProcess;
  stderr = '';
  readonly port: Promise<number>;

  constructor(env: Record<string, string> = {}) {
    this.child = spawn('node', [join(import.meta.dirname, 'hosting-agent.ts')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    this.port = once(this.child.stdout ?? this.child, 'data').then(([chunk]) => Number(chunk));
  }

  /** Open a session. @param ticket signed, base64url: for an agent that needs one */
  async session(ticket?: string): Promise<HostedSession> {
    const port = await this.port;
    const session = new HostedSession();
    const open = resumingTransport({
      name: 'test',
      dial: async () => connect(port, '127.0.0.1'),
      windowMs: 10_000,
      compress: 'off',
      ticket,
      handshakeMs: HANG_MS,
    });
    session.transport = await open(session, new AbortController().signal);
    return session;
  }

  /** Descriptors that the process has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** One session of a hosted agent, driven by hand. */
export class HostedSession {
  transport: AgentTransport | undefined;
  readonly events: AgentEvent[] = [];
  readonly chunks: Buffer[] = [];
  readonly stderr = lineSplitter((line) => {
    const event = parseAgentEvent(line);
    if (event !== undefined) this.events.push(event);
  });

  readonly stdout: (chunk: Uint8Array) => void;

  /** @param take gets the stream's bytes; left out: they are kept in `chunks` */
  constructor(take?: (chunk: Uint8Array) => void) {
    this.stdout = take ?? ((chunk) => void this.chunks.push(Buffer.from(chunk)));
  }

  say(message: object): void {
    this.transport?.write(`${JSON.stringify(message)}\n`);
  }

  has(type: AgentEvent['type']): boolean {
    return this.events.some((event) => event.type === type);
  }

  async until(type: AgentEvent['type']): Promise<void> {
    await vi.waitUntil(() => this.has(type), { timeout: HANG_MS, interval: 10 });
  }

  async start(request: CaptureRequest): Promise<void> {
    this.say(request);
    await this.until('started');
  }

  /** Stop as a client does. @returns how its transport ended */
  async stop() {
    this.say({ type: 'stop' });
    await this.until('end');
    this.say({ type: 'acknowledge' });
    return this.transport?.ended;
  }
}
