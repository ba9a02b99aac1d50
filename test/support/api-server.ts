import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Authority, issue, makeAuthority } from './certificates.ts';

/** An HTTP server on TLS and loopback that stands in for an API server where a fault is wanted, not Kubernetes. */
export interface ApiServer {
  readonly authority: Authority;
  readonly port: number;
  readonly url: string;
  /** A directory of the test's own, removed at the end. */
  readonly directory: string;
  /** Requests and upgrades so far, `METHOD /path?query`. */
  readonly seen: string[];
  /** TCP connections accepted so far. */
  readonly connections: () => number;
  /** Write a kubeconfig for this server; `cluster` and `user` are merged over CA data and a token. @returns its path */
  kubeconfig(change?: {
    cluster?: Record<string, unknown>;
    user?: Record<string, unknown>;
    name?: string;
    namespace?: string;
  }): string;
  /** Cut every connection without a goodbye. */
  cut(): void;
  close(): Promise<void>;
}

export interface Behaviour {
  readonly onRequest?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Takes the websocket of an accepted upgrade. */
  readonly onExec?: (socket: WebSocket, request: IncomingMessage) => void;
  /** Answer an upgrade by hand, for refusals; returning true means it was handled. */
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex) => boolean;
  /** Subprotocols the server knows, in its order of preference. */
  readonly protocols?: readonly string[];
  /** False: pings are read and never answered, as by a peer that is gone. */
  readonly answersPings?: boolean;
  readonly until?: Date;
  readonly hosts?: readonly string[];
}

export async function startApiServer(behaviour: Behaviour): Promise<ApiServer> {
  const authority = makeAuthority('kubernetes');
  const issued = issue(authority, {
    name: 'kube-apiserver',
    hosts: behaviour.hosts ?? ['127.0.0.1', 'localhost'],
    ...(behaviour.until && { until: behaviour.until, from: new Date(behaviour.until.getTime() - 86_400_000) }),
  });
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-api-'));
  const seen: string[] = [];
  const sockets = new Set<Socket>();
  let accepted = 0;
  const known = behaviour.protocols ?? ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
  const upgrades = new WebSocketServer({
    noServer: true,
    autoPong: behaviour.answersPings ?? true,
    handleProtocols: (offered) => known.find((protocol) => offered.has(protocol)) ?? false,
  });
  const server = createServer(
    {
      cert: issued.certificate,
      key: issued.key,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      if (behaviour.onRequest) behaviour.onRequest(request, response);
      else json(response, 404, status(404, 'NotFound', `the server could not find ${request.url}`));
    },
  );
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    seen.push(`UPGRADE ${request.url}`);
    if (behaviour.onUpgrade?.(request, socket)) return;
    upgrades.handleUpgrade(request, socket, head, (webSocket) => behaviour.onExec?.(webSocket, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}`;
  let files = 0;
  return {
    authority,
    port,
    url,
    directory,
    seen,
    connections: () => accepted,
    kubeconfig({ cluster = {}, user = { token: 'secret' }, name = 'test', namespace } = {}) {
      const path = join(directory, `kubeconfig-${++files}`);
      writeFileSync(
        path,
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Config',
          'current-context': name,
          clusters: [
            { name, cluster: { server: url, 'certificate-authority-data': base64(authority.certificate), ...cluster } },
          ],
          users: [{ name, user }],
          contexts: [{ name, context: { cluster: name, user: name, ...(namespace && { namespace }) } }],
        }),
      );
      return path;
    },
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function json(response: ServerResponse, code: number, value: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

/** A metav1.Status as the API server sends it. */
export function status(code: number, reason: string, message: string): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message };
}

/** Refuse an upgrade with a status code and a JSON body. */
export function refuse(socket: Duplex, code: number, body: unknown): void {
  const text = JSON.stringify(body);
  socket.end(
    `HTTP/1.1 ${code} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}

/** One message of an exec: the channel's number and what it carries. */
export function channel(number: number, content: string | Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(number), typeof content === 'string' ? Buffer.from(content) : content]);
}
