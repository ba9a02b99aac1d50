import { createHash, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { AgentRecordings } from '../../src/capture/tenant/agent-recordings.ts';
import { verifyRecordingTicket } from '../../src/ticket/sign.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import {
  parseRecordingPath,
  type RecordingCopy,
  type RecordingOrder,
  type RecordingPiece,
  type RecordingState,
} from '../../src/wire/recording.ts';
import { parseRecordingOrder, parseRecordingStop, parseRecordingUpload } from '../../src/wire/recording-order.ts';
import type { RecordingTicket } from '../../src/wire/recording-ticket.ts';

/** An agent that answers as a real one does about recordings, and records nothing. */
export interface PlayedRecordings {
  /** By UID of the Capture: what a test may change. */
  readonly recordings: Map<string, PlayedRecording>;
  /** The tickets that came, in order. */
  readonly tickets: RecordingTicket[];
  /** `PUT`, `POST …/stop`, … in order. */
  readonly requests: string[];
  /** Where uploads were to go. */
  readonly uploads: { readonly piece: string; readonly url: string; readonly headers: object }[];
  /** Files that were to be copied to a volume. */
  readonly copies: readonly ({ piece: string } & RecordingCopy)[];
  /** Answers every request with this error while it is set. */
  failing: KsnoopError | undefined;
  readonly port: number;
  open(): AgentRecordings;
  close(): Promise<void>;
}

export interface PlayedRecording {
  order: RecordingOrder;
  state: RecordingState;
  /** Bytes of the pieces, by name. */
  readonly bytes: Map<string, Buffer>;
}

/** A piece of these bytes. */
export function playedPiece(name: string, bytes: Buffer, more: Partial<RecordingPiece> = {}): RecordingPiece {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    name,
    bytes: bytes.length,
    sha256,
    packets: 1,
    first: null,
    last: null,
    kept: name.startsWith('kept'),
    ...more,
  };
}

/** @param agent UID of its pod @param key public: of the controller */
export async function playRecordings(agent: string, key: KeyObject): Promise<PlayedRecordings> {
  const recordings = new Map<string, PlayedRecording>();
  const tickets: RecordingTicket[] = [];
  const used = new Set<string>();
  const requests: string[] = [];
  const uploads: { piece: string; url: string; headers: object }[] = [];
  const copies: ({ piece: string } & RecordingCopy)[] = [];
  const clients: AgentRecordings[] = [];

  function admitted(request: IncomingMessage): RecordingTicket {
    const signed = Buffer.from(String(request.headers['ksnoop-ticket'] ?? ''), 'base64url');
    const ticket = verifyRecordingTicket(signed, [key]);
    if (ticket.agent !== agent || used.has(ticket.jti))
      throw new KsnoopError('TICKET_REFUSED', 'used or of another agent');
    used.add(ticket.jti);
    tickets.push(ticket);
    return ticket;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = parseRecordingPath(request.url ?? '');
    const ticket = admitted(request);
    if (path === undefined) throw new KsnoopError('NO_SUCH_RECORDING', `no ${request.url}`);
    requests.push(`${request.method} ${path.kind}`);
    if (played.failing !== undefined) throw played.failing;
    const text = (await request.toArray()).join('');
    const json = (value: unknown) => response.end(JSON.stringify(value));
    if (path.kind === 'list') {
      json({ recordings: [...recordings.values()].map(({ state }) => state) });
      return;
    }
    if (ticket.kind === 'list' || ticket.capture !== path.capture)
      throw new KsnoopError('TICKET_REFUSED', 'of another');
    const known = recordings.get(path.capture);
    if (request.method === 'DELETE') {
      recordings.delete(path.capture);
      response.writeHead(204).end();
      return;
    }
    if (request.method === 'PUT') {
      const order = parseRecordingOrder(text);
      const recording = known ?? begun(path.capture, ticket.sub, order);
      recordings.set(path.capture, recording);
      if (recording.state.state === 'recording') {
        recording.order = order;
        const pods = order.pods.map(({ uid }) => ({ uid, capturing: true }));
        recording.state = { ...recording.state, pods };
      }
      json(recording.state);
      return;
    }
    if (known === undefined) throw new KsnoopError('NO_SUCH_RECORDING', 'There is no such recording.');
    if (path.kind === 'recording') json(known.state);
    else if (path.kind === 'stop') {
      const { reason } = parseRecordingStop(text);
      if (known.state.state === 'recording') known.state = { ...known.state, state: 'finished', reason, pods: [] };
      json(known.state);
    } else if (path.kind === 'upload') {
      const upload = parseRecordingUpload(text);
      if ('url' in upload) uploads.push({ piece: path.piece, url: upload.url, headers: upload.headers });
      else copies.push({ piece: path.piece, ...upload });
      const sent = (piece: RecordingPiece) =>
        piece.name === path.piece ? { ...piece, upload: { state: 'done' as const } } : piece;
      known.state = { ...known.state, pieces: known.state.pieces.map(sent) };
      response.statusCode = 202;
      json(known.state);
    } else {
      if (ticket.kind !== 'fetch') throw new KsnoopError('TICKET_REFUSED', 'no ticket to fetch');
      const bytes = known.bytes.get(path.kind === 'stored' ? path.file.piece : path.piece);
      if (bytes === undefined) throw new KsnoopError('NO_SUCH_RECORDING', 'There is no such file.');
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? 'bytes=0-')?.[1]);
      const headers = from > 0 ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {};
      response.writeHead(from > 0 ? 206 : 200, headers).end(bytes.subarray(from));
    }
  }

  const server = createServer((request, response) => {
    void answer(request, response).catch((thrown) => {
      const { code = 'AGENT_ERROR', message } = thrown as Partial<KsnoopError>;
      if (code === 'TICKET_REFUSED') response.writeHead(401, { 'ksnoop-refusal': 'used' }).end();
      else response.writeHead(code === 'NO_SUCH_RECORDING' ? 404 : 400).end(JSON.stringify({ code, message }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const played: PlayedRecordings = {
    recordings,
    tickets,
    requests,
    uploads,
    copies,
    failing: undefined,
    port,
    open() {
      const client = new AgentRecordings(async () => {
        const socket = connect(port, '127.0.0.1');
        await once(socket, 'connect');
        return socket;
      });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return played;
}

function begun(capture: string, user: string, order: RecordingOrder): PlayedRecording {
  const { namespace, name, endsAt } = order;
  return {
    order,
    bytes: new Map(),
    state: {
      capture,
      namespace,
      name,
      user,
      state: 'recording',
      startedAt: Date.now(),
      endsAt,
      pods: [],
      packets: 0,
      bytes: 0,
      dropped: 0,
      triggers: 0,
      gaps: 0,
      pieces: [],
    },
  };
}
