import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Issued } from './certificates.ts';

/** A message as a receiver got it. */
export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Receives OTLP over HTTP on loopback, and keeps what it took. */
export class OtlpReceiver {
  readonly received: Received[] = [];
  /** Requests, also those that were not taken. */
  requests = 0;
  answer: (path: string, request: number) => Answer | undefined = () => undefined;
  readonly #server: Server;
  readonly #scheme: string;

  constructor(identity?: Issued) {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.requests += 1;
        const path = request.url ?? '';
        const answer = this.answer(path, this.requests) ?? { status: 200, body: '{"partialSuccess":{}}' };
        if (answer.status === 200) {
          const body: unknown = JSON.parse(gunzipSync(Buffer.concat(chunks)).toString('utf8'));
          this.received.push({ path, headers: request.headers, body });
        }
        response.writeHead(answer.status, answer.headers);
        response.end(answer.body ?? '');
      });
    };
    this.#scheme = identity === undefined ? 'http' : 'https';
    this.#server =
      identity === undefined
        ? createServer(listener)
        : createSecureServer({ cert: identity.certificate, key: identity.key }, listener);
  }

  /** @returns its URL */
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** Attributes of OTLP/JSON as an object. */
export function attributesIn(
  list: readonly { key: string; value: Record<string, unknown> }[],
): Record<string, unknown> {
  return Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));
}
