import { readlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { AGENT_PORT, parseSessionPath, type SessionAddress } from '../../wire/session-frame.ts';
import { LISTENER_CONNECTIONS, LISTENER_SESSIONS, REQUEST_HEAD_MAXIMUM, REQUEST_HEAD_MS } from '../limits.ts';
import { isInCluster } from '../netns/node.ts';
import type { Proc } from '../netns/proc.ts';
import { isSignedBy } from './resumption-proof.ts';
import { SessionHost } from './session-host.ts';
import type { UnusedEnd } from './unused-end.ts';

/**
 * The session listener, on loopback of the agent pod's own network namespace: reachable through the API server's
 * port-forward only. It reads the head of a request and hands the connection to the session that the head names. All
 * sessions are this process's (SessionHost); without one, nothing runs.
 * @param unused counts the sessions; left out: nothing ends with them
 */
export function startListener(proc: Proc, log: (text: string) => void, unused?: UnusedEnd): void {
  // Outside a pod every local user can connect to loopback.
  if (!isInCluster()) return;
  if (sharesHostNetwork(proc)) {
    log('port-forward disabled: the agent uses hostNetwork');
    return;
  }
  const host = new SessionHost(log);
  const server = listenForSessions({
    port: AGENT_PORT,
    start: (ended) => {
      unused?.begun();
      return host.start(() => {
        unused?.ended();
        ended();
      });
    },
    admits: () => host.admits(),
  });
  server.on('error', (error) => log(`port-forward disabled: ${error.message}`));
}

/** Takes the connections of one session. */
export interface SessionConnections {
  /** @param head the bytes that were already read from it */
  connection(socket: Socket, head: Buffer): void;
}

interface Known {
  readonly session: SessionConnections;
  /** The public key whose holder may resume it. An older client sends none: then the session's id is enough. */
  readonly key: string | undefined;
  /** The last request to resume it that was accepted: its signature, read from the wire, is worth nothing any more. */
  attempt: number;
}

export interface ListenerOptions {
  readonly port: number;
  /** Starts a new session, which calls `ended` when it is over. */
  readonly start: (ended: () => void) => SessionConnections;
  /** Whether there is memory for another session. */
  readonly admits?: () => boolean;
  /** A connection whose request has not been taken or refused within this time, milliseconds, is closed. */
  readonly headMs?: number;
}

/** Listen on loopback. */
export function listenForSessions({
  port,
  start,
  admits = () => true,
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
      const refusal =
        refusalOf(address, known, sessions) ?? (known === undefined && !admits() && '507 Insufficient Storage');
      if (refusal) return refuse(socket, refusal);
      clearTimeout(deadline);
      const session = known?.session ?? begin(sessions, address, start);
      session.connection(socket, head);
    });
  });
  server.maxConnections = LISTENER_CONNECTIONS;
  return server.listen(port, '127.0.0.1');
}

function begin(
  sessions: Map<string, Known>,
  address: SessionAddress,
  start: ListenerOptions['start'],
): SessionConnections {
  const { id } = address;
  const session = start(() => sessions.delete(id));
  sessions.set(id, { session, key: address.isNew ? address.key : undefined, attempt: 0 });
  return session;
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
    // Not within the event of its own data: what was read is put back.
    setImmediate(() => then(head, /^GET (\S+) HTTP\/1\.1$/.exec(line)?.[1] ?? ''));
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
