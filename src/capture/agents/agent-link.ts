import { randomBytes } from 'node:crypto';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { zstdDecompressSync } from 'node:zlib';
import WebSocket from 'ws';
import { Deadline } from '../../wire/deadline.ts';
import { type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { invalid } from '../../wire/guard.ts';
import { FRAME_BYTES } from '../../wire/limits.ts';
import {
  decodeFrame,
  encodeFrame,
  FRAME_KIND,
  SESSION_PROTOCOL,
  type SessionAddress,
  sessionPath,
} from '../../wire/session-frame.ts';
import { TICKET_HEADER, TICKET_REFUSAL_HEADER, TICKET_REFUSALS, type TicketRefusal } from '../../wire/ticket.ts';
import { clientFrame } from '../../wire/websocket-frame.ts';
import { AGENT_MESSAGE_MAXIMUM, EARLY_FRAMES_BYTES } from '../limits.ts';

/** Refusals of the agent's session listener. */
const REFUSALS: Readonly<Record<number, readonly [code: ErrorCode, sentence: string]>> = {
  409: ['SESSION_EXISTS', 'The agent already has a session of this name.'],
  410: ['SESSION_GONE', 'The agent has ended the session.'],
  503: ['TOO_MANY_SESSIONS', 'The agent already runs as many captures as it may.'],
  507: ['NO_MEMORY', "The agent's container has too little memory left for another capture."],
};

export interface LinkRequest {
  readonly address: SessionAddress;
  /** A signed ticket (base64url), for an agent that takes new sessions with one only. */
  readonly ticket?: string | undefined;
  /** How long the agent may take to answer the handshake, milliseconds. */
  readonly timeoutMs: number;
  /** Called with the socket before its handshake: the first messages may come with the answer. */
  readonly attach: (socket: WebSocket) => void;
  /**
   * Messages that leave with the request, where they are few bytes: the agent may have them before its answer is here. Whether it
   * has is not known, so that they must be sent again.
   */
  readonly early?: readonly Uint8Array[];
}

/**
 * Open a websocket to an agent over a connection to it.
 * @param signal gives up the handshake
 * @throws KsnoopError SESSION_GONE, SESSION_EXISTS, TOO_MANY_SESSIONS, NO_MEMORY, TICKET_REQUIRED, TICKET_REFUSED, NO_AGENT_AT_PORT
 * when what answers is no agent, or what the connection broke with
 */
export function openLink(
  connection: Duplex,
  { address, ticket, timeoutMs, attach, early = [] }: LinkRequest,
  signal: AbortSignal,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://ksnoop-agent${sessionPath(address)}`, [SESSION_PROTOCOL], {
    createConnection: () => connection,
    ...(ticket !== undefined && { headers: { [TICKET_HEADER]: ticket } }),
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: AGENT_MESSAGE_MAXIMUM,
    finishRequest: (request) => {
      sendEarly(request, connection, early);
      request.end();
    },
  });
  // Before the other listeners: what they send is held together.
  socket.on('open', () => sendTogether(connection));
  attach(socket);
  return new Promise((resolve, reject) => {
    const giveUp = (why: unknown) => {
      reject(why);
      socket.terminate();
    };
    const stop = () => giveUp(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    // A limit of ws or of Node is a timer of a socket, and this connection is none: theirs never ends.
    const late = new Deadline(timeoutMs, () => giveUp(unanswered(`nothing came within ${timeoutMs / 1000} s`)));
    socket.once('close', () => late.clear());
    // It may have broken before the handshake listens to it: then nobody else would notice.
    const broken = () => {
      const { errored } = connection;
      const why = errored === null ? 'the connection was closed' : messageOf(errored);
      giveUp(errored instanceof KsnoopError ? errored : unanswered(why));
    };
    if (connection.destroyed) broken();
    else connection.once('close', broken);
    socket.on('open', () => {
      late.clear();
      connection.off('close', broken);
      signal.removeEventListener('abort', stop);
      resolve(socket);
    });
    if (signal.aborted) stop();
    socket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
      // Node would keep the connection for another request, as if it were a socket.
      request.shouldKeepAlive = false;
      const status = response.statusCode ?? 0;
      const refusal = response.headers[TICKET_REFUSAL_HEADER];
      if (status === 401 && refusal !== undefined) {
        giveUp(ticketRefused(String(refusal)));
        return;
      }
      const unknown = ['NO_AGENT_AT_PORT', `The agent's port answers with status ${status}.`] as const;
      const [code, sentence] = REFUSALS[status] ?? unknown;
      giveUp(new KsnoopError(code, sentence));
    });
    socket.on('error', (thrown) => {
      connection.destroy();
      if (thrown instanceof KsnoopError) reject(thrown);
      else reject(unanswered(messageOf(thrown)));
    });
  });
}

/** The error of a ticket that an agent refuses. @param refusal a key of TICKET_REFUSALS */
export function ticketRefused(refusal: string): KsnoopError {
  if (refusal === 'missing') {
    return new KsnoopError('TICKET_REQUIRED', 'The agent takes sessions over port-forward with a ticket only.', {
      hint: 'Capture as a tenant: --as-tenant. An administrator may use exec: --transport exec',
    });
  }
  const why = Object.hasOwn(TICKET_REFUSALS, refusal)
    ? TICKET_REFUSALS[refusal as TicketRefusal]
    : 'for a reason that this ksnoop does not know';
  return new KsnoopError('TICKET_REFUSED', `The agent refuses the ticket: ${why}.`);
}

/**
 * What is written from now to the end of this turn of the event loop leaves in one piece. A session begins with several small
 * messages, and the program that relays them writes each by itself: the second would wait for the acknowledgement of the first,
 * which the kernel delays by 40 ms (RFC 896, RFC 1122 4.2.3.2).
 */
function sendTogether(connection: Duplex): void {
  connection.cork();
  setImmediate(() => connection.uncork());
}

/**
 * Send messages in one piece with the request. A websocket's client has to wait for the answer (RFC 6455, section 4.1), because it
 * may be no websocket's; here it is ksnoop's agent, which takes what follows the request as the session's (agents of earlier versions
 * too) or refuses both. An agent reads no longer piece as the head of a request than EARLY_FRAMES_BYTES leaves room for.
 */
function sendEarly(request: ClientRequest, connection: Duplex, messages: readonly Uint8Array[]): void {
  const bytes = messages.reduce((sum, { length }) => sum + length, 0);
  if (bytes === 0 || bytes > EARLY_FRAMES_BYTES) return;
  request.once('socket', () => {
    connection.cork();
    // By then Node has written the request.
    process.nextTick(() => {
      for (const message of messages) connection.write(clientFrame(message, randomBytes(4)));
      connection.uncork();
    });
  });
}

function unanswered(why: string): KsnoopError {
  return new KsnoopError('NO_AGENT_AT_PORT', `The agent does not answer at its port: ${why}.`);
}

/**
 * A message of an agent as a plain frame.
 * @throws KsnoopError INVALID_MESSAGE when it does not decompress, or to more than a frame carries
 */
export function unpackFrame(message: Uint8Array): Uint8Array {
  if (message[0] !== FRAME_KIND.zstd) return message;
  const { channel, offset, payload } = decodeFrame(message);
  try {
    const plain = zstdDecompressSync(payload, { maxOutputLength: FRAME_BYTES });
    return encodeFrame(FRAME_KIND.data, channel, offset, plain);
  } catch {
    throw invalid('session frame', 'does not decompress');
  }
}
