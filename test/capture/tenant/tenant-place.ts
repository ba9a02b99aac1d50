// An API server with Captures, a controller that is played by the test, and an agent that takes tickets, behind port-forward.
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Server } from 'node:net';
import type { WebSocket } from 'ws';
import { listenForSessions } from '../../../src/agent/listener/session-listener.ts';
import { TicketGate } from '../../../src/agent/listener/ticket-gate.ts';
import { WebSocketStreams } from '../../../src/agent/listener/websocket-streams.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { seal } from '../../../src/ticket/seal.ts';
import { signTicket } from '../../../src/ticket/sign.ts';
import type { JsonObject } from '../../../src/wire/guard.ts';
import { objectAt, optionalString } from '../../../src/wire/guard.ts';
import { lineSplitter } from '../../../src/wire/lines.ts';
import type { SealedTicket, Ticket, TicketPod } from '../../../src/wire/ticket.ts';
import { type ApiServer, json, startApiServer, status } from '../../support/api-server.ts';
import { madeTicket, signingKey } from '../../ticket/made-ticket.ts';

export const NODE = 'worker-1';

export const podOf = (name: string): TicketPod => ({ namespace: 'shop', name, uid: randomUUID() });

export class TenantPlace {
  readonly madeUid = randomUUID();
  /** The Capture that has the name now. */
  uid: string = this.madeUid;
  readonly agent: TicketPod = { namespace: 'ksnoop', name: 'ksnoop-agent-x', uid: randomUUID() };
  /** Lines that agents' sessions have read, by session. */
  readonly sessions: string[][] = [];
  readonly streams: WebSocketStreams[] = [];
  /** Requests that end the Capture. */
  readonly ends: string[] = [];
  /** What a request to make or delete a Capture is refused with. */
  refuseCreate: { readonly code: number; readonly message: string } | undefined;
  refusesDelete = false;
  /** Whether an administrator has set Captures up. */
  hasCaptures = true;
  spec: JsonObject = {};
  #status: JsonObject = {};
  #version = 1;
  #isDeleted = false;
  readonly #watches = new Set<ServerResponse>();
  readonly #key = signingKey();
  #server: ApiServer | undefined;
  #listener: Server | undefined;
  #created: () => void = () => {};

  /** @param created called when the client has made its Capture: what a controller would do */
  async open(created: () => void = () => {}): Promise<Kube> {
    this.#created = created;
    const gate = new TicketGate({ readKeys: () => this.#key.pem, agent: this.agent.uid, node: NODE });
    this.#listener = listenForSessions({ port: 0, gate, start: (ended) => this.#session(ended) });
    const listener = this.#listener;
    await new Promise((resolve) => listener.once('listening', resolve));
    const { port } = listener.address() as AddressInfo;
    this.#server = await startApiServer({
      onRequest: (request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => {
          body += chunk.toString('utf8');
        });
        request.on('end', () => this.#answer(`${request.method} ${request.url}`, body, response));
      },
      onExec: (socket) => forward(socket, port),
    });
    return loadKube({ kubeconfig: this.kubeconfig() });
  }

  kubeconfig(): string {
    return this.#server?.kubeconfig({ namespace: 'shop' }) ?? '';
  }

  /** Write a status, as the controller does. */
  write(next: JsonObject): void {
    this.#status = next;
    this.#version += 1;
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'MODIFIED', object: this.#object() })}\n`);
  }

  /** Admit the Capture, with new tickets for these pods. */
  admit(pods: readonly TicketPod[], ...more: SealedTicket[]): void {
    const tickets = pods.length === 0 ? more : [this.ticket(pods), ...more];
    const capturing = tickets.length === 0 ? 'NoPods' : 'ByClient';
    this.write({
      phase: tickets.length === 0 ? 'Pending' : 'Running',
      tickets,
      conditions: [condition('Admitted', 'True', 'Allowed'), condition('Capturing', 'False', capturing)],
    });
  }

  ticket(pods: readonly TicketPod[], changes: Partial<Ticket> = {}): SealedTicket {
    const uids = pods.map(({ uid }) => uid);
    const filter = optionalString(this.spec, 'filter') ?? '';
    const ticket = madeTicket({ capture: this.uid, node: NODE, agent: this.agent.uid, pods: uids, filter, ...changes });
    const sealed = seal(signTicket(ticket, this.#key.privateKey), String(this.spec.clientKey)).toString('base64');
    return { node: NODE, agent: this.agent, pods, hostNetwork: ticket.hostNetwork, sealed };
  }

  delete(): void {
    this.#isDeleted = true;
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'DELETED', object: this.#object() })}\n`);
  }

  async close(): Promise<void> {
    for (const streams of this.streams) streams.abandon();
    this.#listener?.close();
    await this.#server?.close();
  }

  #session(ended: () => void): WebSocketStreams {
    const streams = new WebSocketStreams({ ended });
    const lines: string[] = [];
    this.sessions.push(lines);
    this.streams.push(streams);
    streams.stdin.on(
      'data',
      lineSplitter((line) => void lines.push(line)),
    );
    return streams;
  }

  #object(): JsonObject {
    const metadata = { name: 'ksnoop-abc', namespace: 'shop', uid: this.uid, resourceVersion: String(this.#version) };
    return { metadata, spec: this.spec, status: this.#status };
  }

  #answer(request: string, body: string, response: ServerResponse): void {
    const collection = '/apis/ksnoop.io/v1alpha1/namespaces/shop/captures';
    if (request.startsWith('POST /apis/authentication.k8s.io/')) {
      const userInfo = { username: 'alice', groups: ['team-shop', 'system:authenticated'] };
      json(response, 201, { status: { userInfo } });
    } else if (request === `POST ${collection}`) {
      const { refuseCreate } = this;
      if (refuseCreate !== undefined) {
        json(response, refuseCreate.code, status(refuseCreate.code, 'Forbidden', refuseCreate.message));
        return;
      }
      this.spec = objectAt(JSON.parse(body), 'spec');
      json(response, 201, this.#object());
      this.#created();
    } else if (/^(DELETE|PATCH) /.test(request)) {
      const wanted = optionalString(objectAt(JSON.parse(body), 'preconditions'), 'uid');
      const isOther = wanted !== undefined && wanted !== this.uid;
      this.ends.push(`${isOther ? '409 ' : ''}${request.split(' ')[0]} ${body}`);
      if (isOther) json(response, 409, status(409, 'Conflict', 'the UID in the precondition is another'));
      else if (this.refusesDelete && request.startsWith('DELETE')) {
        json(response, 403, status(403, 'Forbidden', 'captures is forbidden'));
      } else json(response, 200, this.#object());
    } else if (request.startsWith(`GET ${collection}?`) && request.includes('watch=true')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#watches.add(response);
      // What was written since the list.
      const type = this.#isDeleted ? 'DELETED' : 'MODIFIED';
      response.write(`${JSON.stringify({ type, object: this.#object() })}\n`);
    } else if (request.startsWith(`GET ${collection}?`)) {
      json(response, 200, { metadata: { resourceVersion: '1' }, items: [this.#object()] });
    } else if (request.startsWith('GET /apis/ksnoop.io/v1alpha1') && this.hasCaptures) {
      json(response, 200, { kind: 'APIResourceList' });
    } else if (request.startsWith('GET /api/v1/namespaces/ksnoop/pods')) {
      json(response, 403, status(403, 'Forbidden', 'pods is forbidden'));
    } else json(response, 404, status(404, 'NotFound', `no ${request}`));
  }
}

export function condition(type: string, state: string, reason: string, message = ''): JsonObject {
  return { type, status: state, reason, message };
}

/** A kubelet's end of port-forward (v4.channel.k8s.io): each channel begins with the port. */
export function forward(socket: WebSocket, port: number): void {
  const connection = connect(port, '127.0.0.1');
  for (const channel of [0, 1]) socket.send(Buffer.of(channel, port & 0xff, port >> 8));
  socket.on('message', (data: Buffer) => {
    if (data[0] === 0) connection.write(data.subarray(1));
  });
  connection.on('data', (chunk: Buffer) => socket.send(Buffer.concat([Buffer.of(0), chunk])));
  connection.on('close', () => socket.close());
  connection.on('error', () => {});
  socket.on('close', () => connection.destroy());
}
