import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';

/** Connections at once: a Prometheus or two, and somebody with curl. */
const CONNECTIONS = 16;
const HEAD_BYTES = 8 * 1024;
const TIMEOUT_MS = 10_000;
/** A text that is younger is sent again: who asks often costs no more. */
const FRESH_MS = 1000;

/** Where Prometheus scrapes: an address of this machine and a port, 0 for any that is free. */
export interface ScrapeAddress {
  readonly host: string;
  readonly port: number;
}

/** Answers `GET /metrics` for Prometheus. */
export class ScrapeServer {
  readonly #server: Server;
  #text: (() => string) | undefined;
  #last: { readonly text: string; readonly at: number } | undefined;

  private constructor() {
    const options = { maxHeaderSize: HEAD_BYTES, requestTimeout: TIMEOUT_MS, headersTimeout: TIMEOUT_MS };
    this.#server = createServer(options, (request, response) => {
      const [path] = (request.url ?? '').split('?', 1);
      const status = path !== '/metrics' ? 404 : request.method === 'GET' || request.method === 'HEAD' ? 200 : 405;
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(status === 200 ? this.#current() : 'ksnoop has its metrics at GET /metrics\n');
    });
    this.#server.maxConnections = CONNECTIONS;
    this.#server.unref();
  }

  /** @throws KsnoopError CANNOT_LISTEN */
  static async listen({ host, port }: ScrapeAddress): Promise<ScrapeServer> {
    const made = new ScrapeServer();
    await new Promise<void>((resolve, reject) => {
      made.#server.once('error', (cause) => {
        const why = systemCode(cause) === 'EADDRINUSE' ? 'another program listens there' : String(systemCode(cause));
        const message = `ksnoop cannot listen on ${host} port ${port} for Prometheus: ${why}.`;
        reject(new KsnoopError('CANNOT_LISTEN', message, { hint: 'Choose another port.', exit: EXIT.usage, cause }));
      });
      made.#server.listen(port, host, resolve);
    });
    return made;
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param text makes what is scraped */
  serve(text: () => string): void {
    this.#text = text;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #current(): string {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at >= FRESH_MS) {
      this.#last = { text: this.#text?.() ?? '', at: now };
    }
    return this.#last.text;
  }
}
