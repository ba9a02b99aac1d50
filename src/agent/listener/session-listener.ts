import { readlinkSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { Deadline } from '../../wire/deadline.ts';
import { messageOf } from '../../wire/errors.ts';
import { isRecordingPath } from '../../wire/recording.ts';
import { ADMINISTRATORS_SOCKET, AGENT_PORT, parseSessionPath, type SessionAddress } from '../../wire/session-frame.ts';
import { TICKET_HEADER, TICKET_REFUSAL_HEADER, type TicketRefusal } from '../../wire/ticket.ts';
import {
  LISTENER_CONNECTIONS,
  LISTENER_SESSIONS,
  RECORDINGS_BYTES,
  REQUEST_HEAD_MAXIMUM,
  REQUEST_HEAD_MS,
  TICKET_HEAD_MAXIMUM,
} from '../limits.ts';
import { isInCluster } from '../netns/node.ts';
import type { Proc } from '../netns/proc.ts';
import { Recordings } from '../recording/recordings.ts';
import { Volumes } from '../recording/volumes.ts';
import { type AcceptedTicket, SessionTickets } from '../session/session-tickets.ts';
import { byteSetting } from './byte-setting.ts';
import { recordingConnections } from './recording-requests.ts';
import { isSignedBy } from './resumption-proof.ts';
import { type Failing, SessionHost } from './session-host.ts';
import { ownTicketGate, type TicketGate } from './ticket-gate.ts';
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
  const start: ListenerOptions['start'] = (ended, tickets) => {
    unused?.begun();
    return host.start(() => {
      unused?.ended();
      ended();
    }, tickets);
  };
  const admits = () => host.admits();
  const gate = ownTicketGate();
  const kept = ownRecordings(host, log);
  const server = listenForSessions({
    port: AGENT_PORT,
    start,
    admits,
    gate,
    onlyKey: process.env.KSNOOP_SESSION_KEY,
    recordings: kept && recordingConnections(kept, gate),
  });
  server.on('error', (error) => log(`port-forward disabled: ${error.message}`));
  if (gate === undefined) return;
  log('sessions over port-forward need a ticket');
  const recordings = kept && recordingConnections(kept, undefined);
  listenForAdministrators({ start, admits, recordings }).on('error', (error) => log(`exec disabled: ${error.message}`));
}

/** Recordings, where the agent has a directory for them; those that an earlier process has left behind go on. */
function ownRecordings(host: SessionHost, log: (text: string) => void): Recordings | undefined {
  const root = process.env.KSNOOP_RECORDINGS;
  if (root === undefined) return undefined;
  const setting = (name: string) => byteSetting(name, process.env[name], log);
  const bytes = setting('KSNOOP_RECORDINGS_BYTES') ?? RECORDINGS_BYTES;
  const freeBytes = setting('KSNOOP_RECORDINGS_FREE_BYTES');
  const volumes = new Volumes(process.env.KSNOOP_VOLUMES);
  const { resources } = host;
  const protect = <Result>(owner: Failing, task: () => Result) => host.protect(owner, task);
  const recordings = new Recordings({ root, bytes, freeBytes, volumes, resources, log, protect });
  void recordings.load().catch((thrown) => log(`recordings on the disk are not continued: ${messageOf(thrown)}`));
  return recordings;
}

/**
 * Listen at a socket that only root in the agent's container can open: who may exec there needs no ticket, and port-forward
 * cannot reach it.
 */
function listenForAdministrators(options: Omit<ListenerOptions, 'port' | 'path'>): Server {
  // Of a container of this pod that has ended.
  rmSync(ADMINISTRATORS_SOCKET, { force: true });
  const mask = process.umask(0o177);
  try {
    // It is bound before this returns.
    return listenForSessions({ ...options, path: ADMINISTRATORS_SOCKET });
  } finally {
    process.umask(mask);
  }
}

const TICKET = new RegExp(`\\r\\n${TICKET_HEADER}: ?([^\\r\\n ]*)\\r\\n`, 'i');

/** A session is opened by GET; a session's path with another method is none. */
const REQUEST_LINE = /^(?=GET |[A-Z]+ \/recordings)([A-Z]+) (\S+) HTTP\/1\.1$/;

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
  /** Of loopback. */
  readonly port?: number;
  /** In place of a port: the path of a Unix socket. */
  readonly path?: string;
  /** Starts a new session, which calls `ended` when it is over. With a gate, it may do what the tickets allow. */
  readonly start: (ended: () => void, tickets?: SessionTickets) => SessionConnections;
  /** Verifies the ticket that every new session must come with; left out: none is needed. */
  readonly gate?: TicketGate | undefined;
  /** The public key (hex) that every new session must have; left out: any. */
  readonly onlyKey?: string | undefined;
  /** Whether there is memory for another session. */
  readonly admits?: () => boolean;
  /** Takes the connections whose first request is about recordings, with the bytes read from them; left out: there are none. */
  readonly recordings?: ((socket: Socket, head: Buffer) => void) | undefined;
  /** A connection whose request has not been taken or refused within this time, milliseconds, is closed. */
  readonly headMs?: number;
}

/** Listen on loopback, or at a Unix socket. */
export function listenForSessions({
  port,
  path: socketPath,
  start,
  gate,
  onlyKey,
  admits = () => true,
  recordings,
  headMs = REQUEST_HEAD_MS,
}: ListenerOptions): Server {
  const sessions = new Map<string, Known>();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Of the whole head, not of a silence: a client that sends a byte now and then would keep its place for ever.
    const deadline = new Deadline(headMs, () => socket.destroy());
    socket.once('close', () => deadline.clear());
    readHead(socket, gate === undefined ? REQUEST_HEAD_MAXIMUM : TICKET_HEAD_MAXIMUM, (head, path) => {
      if (hasOrigin(head)) return refuse(socket, '403 Forbidden');
      if (recordings !== undefined && isRecordingPath(path)) {
        deadline.clear();
        return recordings(socket, head);
      }
      const address = parseSessionPath(path);
      if (address === undefined) return refuse(socket, '404 Not Found');
      const known = sessions.get(address.id);
      const refusal = refusalOf(address, known, sessions);
      if (refusal !== undefined) return refuse(socket, refusal);
      if (known !== undefined) {
        deadline.clear();
        return known.session.connection(socket, head);
      }
      if (onlyKey !== undefined && !(address.isNew && address.key === onlyKey)) return refuse(socket, '403 Forbidden');
      const accepted = gate && checkTicket(gate, address, head);
      if (typeof accepted === 'string') return refuse(socket, '401 Unauthorized', accepted);
      if (!admits()) return refuse(socket, '507 Insufficient Storage');
      deadline.clear();
      const tickets = gate && accepted && useTicket(gate, accepted);
      begin(sessions, address, (ended) => start(ended, tickets)).connection(socket, head);
    });
  });
  server.maxConnections = LISTENER_CONNECTIONS;
  return socketPath === undefined ? server.listen(port, '127.0.0.1') : server.listen(socketPath);
}

function useTicket(gate: TicketGate, accepted: AcceptedTicket): SessionTickets {
  gate.use(accepted);
  return new SessionTickets(accepted, (text) => gate.take(text));
}

/** The ticket in a request's head. A session without a key could be resumed by everybody who knows its id. */
function checkTicket(gate: TicketGate, address: SessionAddress, head: Buffer): AcceptedTicket | TicketRefusal {
  if (!address.isNew || address.key === undefined) return 'missing';
  return gate.check(TICKET.exec(head.toString('latin1'))?.[1] ?? '');
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
function readHead(socket: Socket, maximum: number, then: (head: Buffer, path: string) => void): void {
  let head: Buffer = Buffer.alloc(0);
  const take = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    // A body may have come with it.
    const end = head.indexOf('\r\n\r\n');
    if ((end < 0 ? head.length : end) > maximum) {
      socket.destroy();
      return;
    }
    if (end < 0) return;
    socket.off('data', take);
    socket.pause();
    const [line = ''] = head.toString('latin1').split('\r\n', 1);
    // Not within the event of its own data: what was read is put back.
    setImmediate(() => then(head, REQUEST_LINE.exec(line)?.[2] ?? ''));
  };
  socket.on('data', take);
}

function refuse(socket: Socket, status: string, ticket?: TicketRefusal): void {
  const why = ticket === undefined ? '' : `${TICKET_REFUSAL_HEADER}: ${ticket}\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${why}content-length: 0\r\nconnection: close\r\n\r\n`);
  // What a client has sent behind its request is discarded; unread, it would hide the connection's end until the deadline.
  socket.resume();
}

/** Whether loopback here is the node's own: in a DaemonSet that was changed to hostNetwork. */
function sharesHostNetwork(proc: Proc): boolean {
  try {
    return readlinkSync(proc.path('1', 'ns', 'net')) === readlinkSync(proc.path('self', 'ns', 'net'));
  } catch {
    return true;
  }
}
