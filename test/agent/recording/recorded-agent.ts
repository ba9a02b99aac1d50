import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { signRecordingTicket } from '../../../src/ticket/sign.ts';
import {
  type RecordingOrder,
  type RecordingPath,
  type RecordingState,
  recordingPath,
} from '../../../src/wire/recording.ts';
import { parseRecordingState } from '../../../src/wire/recording-state.ts';
import type { RecordingTicket } from '../../../src/wire/recording-ticket.ts';
import { TICKET_HEADER } from '../../../src/wire/ticket.ts';
import { HANG_MS } from '../../support/hang.ts';
import { signingKey } from '../../ticket/made-ticket.ts';

export const MIB = 1024 * 1024;
export const NODE = 'worker-1';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A process that records (recording-agent.ts), its directory, and the key of its controller. */
export class RecordedAgent {
  readonly uid = randomUUID();
  readonly key = signingKey();
  readonly directory = mkdtempSync(join(tmpdir(), 'ksnoop-recordings-'));
  readonly #env: Record<string, string>;
  readonly #diskMib: number | undefined;
  readonly #connections = new Agent({ keepAlive: true });
  child: ChildProcess;
  port = 0;
  stderr = '';

  /** @param diskMib the size of the disk; left out: that of the machine @param freeMib what recordings leave free of it */
  constructor({
    tickets = false,
    bytes = 256 * MIB,
    diskMib,
    freeMib = 0,
  }: { tickets?: boolean; bytes?: number; diskMib?: number; freeMib?: number } = {}) {
    this.#diskMib = diskMib;
    mkdirSync(join(this.directory, 'recordings'));
    writeFileSync(join(this.directory, 'public.pem'), this.key.pem);
    this.#env = {
      KSNOOP_RECORDINGS: join(this.directory, 'recordings'),
      KSNOOP_RECORDINGS_BYTES: String(bytes),
      KSNOOP_RECORDINGS_FREE_BYTES: String(freeMib * MIB),
      // With a node's name it is an agent in a cluster, which captures pods only.
      ...(tickets && { KSNOOP_TICKETS: this.directory, NODE_NAME: NODE, POD_UID: this.uid }),
    };
    this.child = this.#spawn();
  }

  /** Something else takes all of its disk but this. */
  fillDisk(leftMib: number): void {
    const mount = `/proc/${this.child.pid}/root${join(this.directory, 'recordings')}`;
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(join(mount, 'filler'), Buffer.alloc(bavail * bsize - leftMib * MIB));
  }

  /** Resolves when it listens. */
  async ready(): Promise<void> {
    const [chunk] = await once(this.child.stdout ?? this.child, 'data');
    this.port = Number(chunk);
  }

  /** Kill it and start it again, as a container is restarted. @param between is called while no process runs */
  async restart(between: () => void = () => {}): Promise<void> {
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
    between();
    this.child = this.#spawn();
    await this.ready();
  }

  close(): void {
    this.#connections.destroy();
    this.child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true });
  }

  sign(ticket: RecordingTicket, key = this.key): string {
    return signRecordingTicket(ticket, key.privateKey).toString('base64url');
  }

  /** @param ticket signed; the connections are kept and used again */
  request(
    method: string,
    path: RecordingPath | string,
    { body, ticket, headers = {} }: { body?: object; ticket?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.port,
          method,
          path: typeof path === 'string' ? path : recordingPath(path),
          agent: this.#connections,
          timeout: HANG_MS,
          headers: {
            ...headers,
            ...(ticket !== undefined && { [TICKET_HEADER]: ticket }),
            ...(text !== undefined && { 'content-length': Buffer.byteLength(text) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          );
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(text);
    });
  }

  /** Start or change a recording. */
  async put(capture: string, order: RecordingOrder): Promise<RecordingState> {
    const { status, body } = await this.request('PUT', { kind: 'recording', capture }, { body: order });
    if (status !== 200) throw new Error(`${status} ${body}`);
    return parseRecordingState(body.toString());
  }

  async state(capture: string): Promise<RecordingState> {
    const { body } = await this.request('GET', { kind: 'recording', capture });
    return parseRecordingState(body.toString());
  }

  /** Wait until its state is as wanted. */
  async until(capture: string, isSo: (state: RecordingState) => boolean): Promise<RecordingState> {
    return vi.waitUntil(
      async () => {
        const state = await this.state(capture);
        return isSo(state) && state;
      },
      { timeout: HANG_MS, interval: 50 },
    );
  }

  #spawn(): ChildProcess {
    const program = ['node', join(import.meta.dirname, 'recording-agent.ts')];
    // A disk of its own, which is gone with the process.
    const mount = `mount -t tmpfs -o size=${this.#diskMib}m none ${join(this.directory, 'recordings')} && exec "$@"`;
    const [file = '', ...words] =
      this.#diskMib === undefined ? program : ['unshare', '--mount', '--', 'sh', '-c', mount, 'sh', ...program];
    const child = spawn(file, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...this.#env },
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString('utf8');
    });
    return child;
  }
}

/** An order to record what goes through network namespaces. */
export function orderOf(names: readonly string[], changes: Partial<RecordingOrder> = {}): RecordingOrder {
  return {
    namespace: 'shop',
    name: 'errors',
    pods: names.map((name) => ({ namespace: 'shop', name, uid: randomUUID(), hostNetwork: false })),
    filter: '',
    snaplen: 262_144,
    endsAt: Date.now() + 3_600_000,
    maxBytes: 64 * MIB,
    keepMs: 3_600_000,
    ...changes,
  };
}
