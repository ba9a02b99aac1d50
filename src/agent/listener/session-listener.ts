import { type ChildProcess, fork } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { AGENT_PORT, parseSessionPath, type SessionAddress } from '../../wire/session-frame.ts';
import {
  LISTENER_CONNECTIONS,
  LISTENER_SESSIONS,
  REQUEST_HEAD_MAXIMUM,
  REQUEST_HEAD_MS,
  SESSION_MEMORY,
  SESSION_START_MS,
} from '../limits.ts';
import { ContainerMemory } from '../netns/container-memory.ts';
import { isInCluster } from '../netns/node.ts';
import type { Proc } from '../netns/proc.ts';
import { isSignedBy } from './resumption-proof.ts';

/**
 * The session listener, on loopback of the agent pod's own network namespace: reachable through the API server's
 * port-forward only. It reads the head of a request and hands the connection to the process of the session that the head
 * names; for a new session it starts that process. It does no more, so that an idle agent costs nothing.
 */
export function startListener(proc: Proc, log: (text: string) => void): void {
  // Outside a pod every local user can connect to loopback.
  if (!isInCluster()) return;
  if (sharesHostNetwork(proc)) {
    log('port-forward disabled: the agent uses hostNetwork');
    return;
  }
  const memory = new ContainerMemory();
  const server = listenForSessions({
    port: AGENT_PORT,
    start: () => fork(process.argv[1] ?? '', ['session'], { stdio: SESSION_STDIO }),
    hasMemory: (bytes) => memory.has(bytes),
  });
  server.on('error', (error) => log(`port-forward disabled: ${error.message}`));
}

/** A session's process writes to the container's log; its channels are not its own stdout and stderr. */
const SESSION_STDIO: ('ignore' | 'inherit' | 'ipc')[] = ['ignore', 'inherit', 'inherit', 'ipc'];

/** What a session's process is handed with a connection. */
export interface Handover {
  readonly type: 'connection';
  /** The bytes already read from it, in base64. */
  readonly head: string;
}

interface Known {
  readonly child: ChildProcess;
  /** The public key whose holder may resume it. An older client sends none: then the session's id is enough. */
  readonly key: string | undefined;
  /** The last request to resume it that was accepted: its signature, read from the wire, is worth nothing any more. */
  attempt: number;
  readonly startedAt: number;
}

export interface ListenerOptions {
  readonly port: number;
  /** Starts the process of a new session. */
  readonly start: (address: SessionAddress) => ChildProcess;
  /** Whether the container has so many bytes of memory left. */
  readonly hasMemory?: (bytes: number) => boolean;
  /** A connection whose request has not been taken or refused within this time, milliseconds, is closed. */
  readonly headMs?: number;
}

/** Listen on loopback. */
export function listenForSessions({
  port,
  start,
  hasMemory = () => true,
  headMs = REQUEST_HEAD_MS,
}: ListenerOptions): Server {
  const sessions = new Map<string, Known>();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Of the whole head, not of a silence: a client that sends a byte now and then would keep its place for ever.
    const deadline = setTimeout(() => socket.destroy(), headMs);
    socket.once('close', () => clearTimeout(deadline));
    readHead(socket, (head, path) => {
      if (hasOrigin(head)) return refuse(socket, '403 Forbidden');
      const address = parseSessionPath(path);
      if (address === undefined) return refuse(socket, '404 Not Found');
      const known = sessions.get(address.id);
      const refusal = refusalOf(address, known, sessions) ?? (known === undefined && lacksMemory(sessions, hasMemory));
      if (refusal) return refuse(socket, refusal);
      const child = known?.child ?? begin(sessions, address, start);
      clearTimeout(deadline);
      const message: Handover = { type: 'connection', head: head.toString('base64') };
      // Kept open until it is handed over, for Node forgets one that could not be: of a process that has just ended the
      // connection ends with it, and the next attempt gets 410.
      child.send(message, socket, { keepOpen: true }, () => socket.destroy());
    });
  });
  server.maxConnections = LISTENER_CONNECTIONS;
  return server.listen(port, '127.0.0.1');
}

function begin(
  sessions: Map<string, Known>,
  address: SessionAddress,
  start: (address: SessionAddress) => ChildProcess,
) {
  const child = start(address);
  const session = { child, key: address.isNew ? address.key : undefined, attempt: 0, startedAt: performance.now() };
  sessions.set(address.id, session);
  const forget = () => {
    if (sessions.get(address.id) === session) sessions.delete(address.id);
  };
  child.once('exit', forget);
  child.once('error', forget);
  return child;
}

/** The status of a request that is refused; undefined, and the attempt counted, for one that is accepted. */
function refusalOf(
  address: SessionAddress,
  known: Known | undefined,
  sessions: ReadonlyMap<string, Known>,
): string | undefined {
  if (address.isNew) {
    if (known !== undefined) return '409 Conflict';
    return sessions.size >= LISTENER_SESSIONS ? '503 Service Unavailable' : undefined;
  }
  if (known === undefined) return '410 Gone';
  if (known.key === undefined) return undefined;
  const isOwner =
    address.proof !== undefined && address.attempt > known.attempt && isSignedBy(known.key, address, address.proof);
  if (!isOwner) return '403 Forbidden';
  known.attempt = address.attempt;
  return undefined;
}

/** Whether one more process is too much for the memory. Those that have just been started have not yet taken their part. */
function lacksMemory(
  sessions: ReadonlyMap<string, Known>,
  hasMemory: (bytes: number) => boolean,
): '507 Insufficient Storage' | false {
  const since = performance.now() - SESSION_START_MS;
  let starting = 1;
  for (const { startedAt } of sessions.values()) if (startedAt > since) starting += 1;
  return hasMemory(starting * SESSION_MEMORY) ? false : '507 Insufficient Storage';
}

/** Whether a browser sent the request for a page: it names the page's origin in every websocket handshake (RFC 6455, 4.1). */
function hasOrigin(head: Buffer): boolean {
  return /[\r\n]origin\s*:/i.test(head.toString('latin1'));
}

/** Read the head of an HTTP request (RFC 9112), bounded in size. What follows is the session's to read. */
function readHead(socket: Socket, then: (head: Buffer, path: string) => void): void {
  let head: Buffer = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    if (head.length > REQUEST_HEAD_MAXIMUM) {
      socket.destroy();
      return;
    }
    if (!head.includes('\r\n\r\n')) return;
    socket.off('data', take);
    socket.pause();
    const [line = ''] = head.toString('latin1').split('\r\n', 1);
    then(head, /^GET (\S+) HTTP\/1\.1$/.exec(line)?.[1] ?? '');
  };
  socket.on('data', take);
}

function refuse(socket: Socket, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}

/** Whether loopback here is the node's own: in a DaemonSet that was changed to hostNetwork. */
function sharesHostNetwork(proc: Proc): boolean {
  try {
    return readlinkSync(proc.path('1', 'ns', 'net')) === readlinkSync(proc.path('self', 'ns', 'net'));
  } catch {
    return true;
  }
}
