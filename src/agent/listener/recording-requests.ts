import { createReadStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, type Readable } from 'node:stream';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { invalid } from '../../wire/guard.ts';
import {
  parseRecordingPath,
  RECORDING_BODY_MAXIMUM,
  type RecordingPath,
  type StoredFile,
} from '../../wire/recording.ts';
import { parseRecordingOrder, parseRecordingStop, parseRecordingUpload } from '../../wire/recording-order.ts';
import { TICKET_HEADER, TICKET_REFUSAL_HEADER } from '../../wire/ticket.ts';
import { RECORDING_IDLE_MS, RECORDING_PIECE_MS, RECORDING_REQUEST_MS, TICKET_HEAD_MAXIMUM } from '../limits.ts';
import type { Recordings } from '../recording/recordings.ts';
import { NoTicket, RecordingAccess } from './recording-access.ts';
import type { TicketGate } from './ticket-gate.ts';

/** The status of an answer to what is refused with a code; others are 500. */
const STATUS: Readonly<Record<string, number>> = {
  INVALID_MESSAGE: 400,
  BAD_TRIGGER: 400,
  BAD_FILTER: 400,
  TICKET_REFUSED: 403,
  NO_SUCH_RECORDING: 404,
  CONFLICT: 409,
  RECORDINGS_FULL: 507,
  NO_MEMORY: 507,
  TOO_MANY_SESSIONS: 507,
};

/** Methods of each path. */
const METHODS: { readonly [kind in RecordingPath['kind']]: readonly string[] } = {
  list: ['GET'],
  recording: ['GET', 'PUT', 'DELETE'],
  stop: ['POST'],
  piece: ['GET'],
  upload: ['POST'],
  stored: ['GET'],
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: RecordingPath;
  readonly access: RecordingAccess;
}

/** A connection: what its requests may do, and when it is closed. */
class Connection {
  readonly access: RecordingAccess;
  readonly #socket: Socket;
  #idle: NodeJS.Timeout | undefined;
  /** Requests that have come and are not answered. */
  #answering = 0;

  constructor(socket: Socket, gate: TicketGate | undefined) {
    this.access = new RecordingAccess(gate);
    this.#socket = socket;
    socket.once('close', () => clearTimeout(this.#idle));
  }

  /** Close it unless another request begins in this time. */
  wait(ms: number): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#socket.destroy(), ms);
  }

  /** A request's head has come: in this time the rest must too. A server that does not listen looks after no request's time. */
  take(request: IncomingMessage, response: ServerResponse, ms: number): void {
    clearTimeout(this.#idle);
    this.#answering += 1;
    const late = setTimeout(() => this.#socket.destroy(), ms);
    request.once('end', () => clearTimeout(late));
    response.once('close', () => {
      clearTimeout(late);
      this.#answering -= 1;
      if (this.#answering === 0 && !this.#socket.destroyed) this.wait(RECORDING_IDLE_MS);
    });
  }
}

/**
 * Answers requests about recordings (wire/recording).
 * @param gate verifies the ticket that a connection must come with; left out: none is needed
 * @param requestMs a request that is not whole in this time ends its connection, milliseconds
 * @returns takes a connection whose first bytes have been read
 */
export function recordingConnections(
  recordings: Recordings,
  gate: TicketGate | undefined,
  requestMs = RECORDING_REQUEST_MS,
): (socket: Socket, head: Buffer) => void {
  const connections = new WeakMap<Socket, Connection>();
  const server = createServer({ maxHeaderSize: TICKET_HEAD_MAXIMUM }, (request, response) => {
    const { socket } = request;
    const connection = connections.get(socket) ?? new Connection(socket, gate);
    connection.take(request, response, requestMs);
    answer(recordings, connection.access, request, response).catch(async (thrown) => {
      if (!connection.access.isAdmitted) response.setHeader('connection', 'close');
      await readToEnd(request);
      fail(response, thrown);
    });
  });
  server.keepAliveTimeout = 0;
  return (socket, head) => {
    const connection = new Connection(socket, gate);
    connections.set(socket, connection);
    connection.wait(requestMs);
    socket.setNoDelay(true);
    socket.unshift(head);
    server.emit('connection', socket);
    socket.resume();
  };
}

async function answer(
  recordings: Recordings,
  access: RecordingAccess,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = parseRecordingPath(request.url ?? '');
  if (path === undefined) throw new KsnoopError('NO_SUCH_RECORDING', 'There is no such path.');
  const method = request.method ?? '';
  const ticket = request.headers[TICKET_HEADER];
  access.admit(method, path, typeof ticket === 'string' ? ticket : undefined);
  if (!METHODS[path.kind].includes(method)) throw invalid('request', `has the method ${method}`);
  await recordings.loaded;
  await run(recordings, { request, response, path, access });
}

async function run(recordings: Recordings, exchange: Exchange): Promise<void> {
  const { request, response, path, access } = exchange;
  // No body is read of what needs none.
  if (request.method === 'GET' || request.method === 'DELETE') request.resume();
  if (path.kind === 'list')
    return send(response, 200, { recordings: recordings.list(), captured: recordings.captured() });
  const { capture } = path;
  switch (path.kind) {
    case 'recording': {
      if (request.method === 'GET') return send(response, 200, recordings.get(capture).state);
      if (request.method === 'DELETE') {
        await recordings.delete(capture);
        return send(response, 204, undefined);
      }
      const order = parseRecordingOrder(await bodyOf(request));
      return send(response, 200, await recordings.put(capture, access.order(order), order));
    }
    case 'stop':
      return send(response, 200, recordings.stop(capture, parseRecordingStop(await bodyOf(request))));
    case 'upload': {
      const upload = parseRecordingUpload(await bodyOf(request));
      return send(response, 202, recordings.upload(capture, path.piece, upload));
    }
    case 'piece': {
      const { path: file, piece } = recordings.piece(capture, path.piece);
      const etag = { etag: `"${piece.sha256}"` };
      return sendFile(exchange, piece.bytes, etag, (range) => createReadStream(file, range));
    }
    case 'stored':
      return sendStored(recordings, exchange, path.file);
  }
}

/** Send a file of a Capture on a volume. */
async function sendStored(recordings: Recordings, exchange: Exchange, stored: StoredFile): Promise<void> {
  if (exchange.path.kind !== 'stored') return;
  const file = await recordings.stored(exchange.path.capture, stored);
  try {
    await sendFile(exchange, file.bytes, {}, (range) => file.read(range));
  } finally {
    await file.close();
  }
}

/**
 * Send a file, or its rest: as fast as the connection takes it. Resolves when the connection has it, or has ended.
 * @param bytes its length
 */
async function sendFile(
  { request, response, access }: Exchange,
  bytes: number,
  headers: Readonly<Record<string, string>>,
  read: (range: { start: number; end: number }) => Readable,
): Promise<void> {
  const from = rangeOf(request.headers.range);
  if (from === undefined || from > bytes) {
    response.setHeader('content-range', `bytes */${bytes}`);
    send(response, 416, { code: 'INVALID_MESSAGE', message: `The file has ${bytes} bytes.` });
    return;
  }
  response.writeHead(from === 0 ? 200 : 206, {
    'content-type': 'application/x-pcapng',
    'content-length': bytes - from,
    ...headers,
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes - 1}/${bytes}` }),
  });
  if (from === bytes) {
    response.end();
    return;
  }
  // Who fetches slowly comes again, with a ticket that is valid then.
  const late = access.isBounded ? setTimeout(() => response.destroy(), RECORDING_PIECE_MS) : undefined;
  await new Promise<void>((resolve) => pipeline(read({ start: from, end: bytes - 1 }), response, () => resolve()));
  clearTimeout(late);
}

/** The first byte of `bytes=N-`; 0 without a range, undefined for another one. */
function rangeOf(range: string | undefined): number | undefined {
  if (range === undefined) return 0;
  const from = /^bytes=([0-9]{1,15})-$/.exec(range)?.[1];
  return from === undefined ? undefined : Number(from);
}

/** @throws KsnoopError INVALID_MESSAGE where it is too long */
async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  await readToEnd(request, (chunk) => chunks.push(chunk));
  const body = Buffer.concat(chunks);
  if (request.complete && body.length <= RECORDING_BODY_MAXIMUM) return body.toString('utf8');
  throw invalid('request', `has more than ${RECORDING_BODY_MAXIMUM} bytes, or ended early`);
}

/**
 * Read a request to its end: a connection that is closed while bytes come is reset, and then the answer may be lost. One that is far too long is
 * broken off.
 * @param take gets what is within the bound, and a little more
 */
function readToEnd(request: IncomingMessage, take: (chunk: Buffer) => void = () => {}): Promise<void> {
  if (request.complete && request.readableEnded) return Promise.resolve();
  let length = 0;
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      if (length <= RECORDING_BODY_MAXIMUM) take(chunk);
      length += chunk.length;
      if (length > 4 * RECORDING_BODY_MAXIMUM) request.destroy();
    });
    request.on('end', resolve);
    request.on('close', resolve);
    request.on('error', () => resolve());
  });
}

function send(response: ServerResponse, status: number, body: object | undefined): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    ...(status !== 204 && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
  });
  response.end(text);
}

function fail(response: ServerResponse, thrown: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (thrown instanceof NoTicket) {
    response.setHeader(TICKET_REFUSAL_HEADER, thrown.refusal);
    send(response, 401, { code: 'TICKET_REFUSED', message: `The agent refuses the ticket: ${thrown.message}.` });
    return;
  }
  const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
  const { code, message, hint } = error;
  send(response, STATUS[code] ?? 500, { code, message, ...(hint !== undefined && { hint }) });
}
