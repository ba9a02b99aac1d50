import { Agent, type ClientRequestArgs, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { type CapturedCount, parseCapturedCounts } from '../../wire/captured-count.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { ERROR_CODES, type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { isObject, optionalString, parseJson } from '../../wire/guard.ts';
import {
  type ListedRecording,
  RECORDING_BODY_MAXIMUM,
  type RecordingCopy,
  type RecordingOrder,
  type RecordingPath,
  type RecordingState,
  type RecordingStop,
  type RecordingUpload,
  recordingPath,
  type StoredFile,
} from '../../wire/recording.ts';
import { parseRecordingList, parseRecordingState } from '../../wire/recording-state.ts';
import { AGENT_PORT } from '../../wire/session-frame.ts';
import { TICKET_HEADER, TICKET_REFUSAL_HEADER } from '../../wire/ticket.ts';
import { ticketRefused } from '../agents/agent-link.ts';
import type { Kube } from '../kube/kube.ts';
import { openPortForward } from '../kube/port-forward.ts';

/** Connections to one agent at a time. */
const CONNECTIONS = 4;

/** How long an agent may take to answer, milliseconds. */
const ANSWER_MS = 15_000;

/**
 * A signed ticket that was not used, base64url: another one at every call. undefined where there is none at present: the one that came
 * with an earlier request on the connection may still be valid.
 */
export type NextTicket = () => string | undefined;

interface Asked {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: RecordingPath;
  readonly ticket: NextTicket | undefined;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** What is asked of an agent, and with which ticket. */
export interface RecordingRequest {
  /** UID of the Capture. */
  readonly capture: string;
  /** Left out where the connection needs none. */
  readonly ticket: NextTicket | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The recordings of one agent, over connections to its port. Every request may be made again: where a connection that was kept has
 * gone meanwhile, it is. All methods throw KsnoopErrors: TICKET_REFUSED, the agent's own, and those of the connection.
 */
export class AgentRecordings {
  readonly #connections: Connections;

  /** @param dial a connection to the agent's port @param connections how many at a time */
  constructor(dial: (signal: AbortSignal) => Promise<Duplex>, connections = CONNECTIONS) {
    this.#connections = new Connections(dial, connections);
  }

  /** Record what the order has, from now on and not anything else. */
  async put(order: RecordingOrder, { capture, ticket, signal }: RecordingRequest): Promise<RecordingState> {
    const path = { kind: 'recording', capture } as const;
    return parseRecordingState(await this.#text({ method: 'PUT', path, ticket, body: order, signal }));
  }

  async state({ capture, ticket, signal }: RecordingRequest): Promise<RecordingState> {
    const path = { kind: 'recording', capture } as const;
    return parseRecordingState(await this.#text({ method: 'GET', path, ticket, signal }));
  }

  async stop(body: RecordingStop, { capture, ticket, signal }: RecordingRequest): Promise<RecordingState> {
    const path = { kind: 'stop', capture } as const;
    return parseRecordingState(await this.#text({ method: 'POST', path, ticket, body, signal }));
  }

  /** Remove a recording and its files, whether it is there or not. */
  async remove({ capture, ticket, signal }: RecordingRequest): Promise<void> {
    await this.#text({ method: 'DELETE', path: { kind: 'recording', capture }, ticket, signal });
  }

  /** Have a piece sent to a URL. How that goes is in later states. */
  async upload(
    piece: string,
    body: RecordingUpload | RecordingCopy,
    { capture, ticket, signal }: RecordingRequest,
  ): Promise<RecordingState> {
    const path = { kind: 'upload', capture, piece } as const;
    return parseRecordingState(await this.#text({ method: 'POST', path, ticket, body, signal }));
  }

  async list(ticket: NextTicket | undefined, signal?: AbortSignal): Promise<ListedRecording[]> {
    return parseRecordingList(await this.#text({ method: 'GET', path: { kind: 'list' }, ticket, signal }));
  }

  /** What live Captures have captured on the agent's node; undefined of an agent that does not count it. */
  async captured(ticket: NextTicket | undefined, signal?: AbortSignal): Promise<CapturedCount[] | undefined> {
    return parseCapturedCounts(await this.#text({ method: 'GET', path: { kind: 'list' }, ticket, signal }));
  }

  /**
   * The bytes of a piece.
   * @param from the first byte that is wanted
   */
  async piece(
    piece: string,
    from: number,
    { capture, ticket, signal }: RecordingRequest,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#bytes({ kind: 'piece', capture, piece }, from, ticket, signal);
  }

  /** The same of a file on a volume that the agent has mounted, whichever agent has put it there. */
  async stored(
    file: StoredFile,
    from: number,
    { capture, ticket, signal }: RecordingRequest,
  ): Promise<AsyncIterable<Uint8Array>> {
    return this.#bytes({ kind: 'stored', capture, file }, from, ticket, signal);
  }

  async #bytes(
    path: RecordingPath,
    from: number,
    ticket: NextTicket | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AsyncIterable<Uint8Array>> {
    const headers = from === 0 ? {} : { range: `bytes=${from}-` };
    const response = await this.#send({ method: 'GET', path, ticket, headers, signal });
    const begins = response.statusCode === 206 ? rangeStart(response) : 0;
    if (begins === from) return response;
    response.destroy();
    throw new KsnoopError('INVALID_MESSAGE', 'The agent sends another part of the file than was asked for.');
  }

  /** End the connections. */
  close(): void {
    this.#connections.destroy();
  }

  async #text(asked: Asked): Promise<string> {
    const limit = deadlineSignal(ANSWER_MS);
    const signal = asked.signal === undefined ? limit : AbortSignal.any([asked.signal, limit]);
    try {
      return await bodyOf(await this.#send({ ...asked, signal }));
    } catch (thrown) {
      if (!limit.aborted || asked.signal?.aborted === true) throw thrown;
      const seconds = ANSWER_MS / 1000;
      throw new KsnoopError('AGENT_SILENT', `The agent did not answer within ${seconds} s.`, { cause: thrown });
    }
  }

  /** @throws KsnoopError for a status of 400 and above */
  async #send(asked: Asked): Promise<IncomingMessage> {
    const response = await this.#attempt(asked).catch((thrown: unknown) => {
      // A connection that was kept and has gone: no request of it was begun.
      if (asked.signal?.aborted || !(thrown instanceof GoneConnection)) throw thrown;
      return this.#attempt(asked);
    });
    const status = response.statusCode ?? 0;
    if (status < 400) return response;
    const refusal = response.headers[TICKET_REFUSAL_HEADER];
    const body = await bodyOf(response);
    if (status === 401 && refusal !== undefined) throw ticketRefused(String(refusal));
    throw errorOf(status, body);
  }

  #attempt({ method, path, ticket, body, headers, signal }: Asked): Promise<IncomingMessage> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const signed = ticket?.();
    const options = {
      agent: this.#connections,
      host: 'ksnoop-agent',
      method,
      path: recordingPath(path),
      headers: {
        ...headers,
        ...(signed !== undefined && { [TICKET_HEADER]: signed }),
        ...(bytes !== undefined && { 'content-type': 'application/json', 'content-length': String(bytes.length) }),
      },
      signal,
    };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, resolve);
      outgoing.on('error', (thrown) => {
        if (signal?.aborted) reject(signal.reason);
        else if (outgoing.reusedSocket) reject(new GoneConnection(messageOf(thrown)));
        else reject(thrown instanceof KsnoopError ? thrown : unanswered(messageOf(thrown), thrown));
      });
      outgoing.end(bytes);
    });
  }
}

/** A connection was used again, and had ended. */
class GoneConnection extends Error {}

/** Connections to the port of one agent, which are not sockets of this machine. */
class Connections extends Agent {
  readonly #dial: (signal: AbortSignal) => Promise<Duplex>;
  readonly #abort = new AbortController();

  constructor(dial: (signal: AbortSignal) => Promise<Duplex>, maxSockets: number) {
    super({ keepAlive: true, maxSockets, maxFreeSockets: 1 });
    this.#dial = dial;
  }

  override createConnection(
    _options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const done = callback as ((error: unknown, stream?: Duplex) => void) | undefined;
    const limit = deadlineSignal(ANSWER_MS);
    this.#dial(AbortSignal.any([this.#abort.signal, limit])).then(
      (connection) => done?.(null, asSocket(connection)),
      (thrown) => done?.(limit.aborted ? unanswered('it was not reached in time', thrown) : thrown),
    );
    return undefined;
  }

  override destroy(): void {
    this.#abort.abort();
    super.destroy();
  }
}

/** What Node's HTTP client asks of a socket, for a connection that is none. */
function asSocket(connection: Duplex): Duplex {
  const nothing = () => connection;
  const methods = { setKeepAlive: nothing, setNoDelay: nothing, setTimeout: nothing, ref: nothing, unref: nothing };
  return Object.assign(connection, methods);
}

/** The recordings of the agent in a pod, over port-forward. */
export function recordingsOf(
  kube: Kube,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  connections?: number,
): AgentRecordings {
  const dial = (signal: AbortSignal) => openPortForward(kube, { namespace, pod: name, port: AGENT_PORT }, signal);
  return new AgentRecordings(dial, connections);
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += chunk.length;
    if (size > RECORDING_BODY_MAXIMUM) {
      response.destroy();
      throw new KsnoopError('ANSWER_TOO_LARGE', `The agent's answer exceeds ${RECORDING_BODY_MAXIMUM} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** First byte of a partial response (RFC 9110, section 14.4); -1 where it is not stated. */
function rangeStart(response: IncomingMessage): number {
  const [, start] = /^bytes (\d{1,15})-/.exec(response.headers['content-range'] ?? '') ?? [];
  return start === undefined ? -1 : Number(start);
}

/** What the agent says of an error: its codes are those of this table. */
function errorOf(status: number, body: string): KsnoopError {
  let answer: unknown;
  try {
    answer = parseJson(body, "agent's error");
  } catch {
    answer = undefined;
  }
  const text = (key: string) => (isObject(answer) ? optionalString(answer, key) : undefined);
  const code = text('code') ?? '';
  const message = text('message') ?? `The agent answers with status ${status}.`;
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'AGENT_ERROR';
  return new KsnoopError(known, message, { hint: text('hint') });
}

function unanswered(why: string, cause: unknown): KsnoopError {
  return new KsnoopError('NO_AGENT_AT_PORT', `The agent does not answer at its port: ${why.replace(/\.$/, '')}.`, {
    cause,
  });
}
