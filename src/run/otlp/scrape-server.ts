import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';

/** Connections at once: a Prometheus or two, and somebody with curl. One more takes the place of the oldest. */
const CONNECTIONS = 16;
const HEAD_BYTES = 8 * 1024;
/** A connection is closed when so long after it began, or after its last response, the next response is not sent completely. */
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
  readonly #timeoutMs: number;
  /** Open connections with their deadlines; the one that was answered longest ago, or never, is the first. */
  readonly #deadlines = new Map<Socket, NodeJS.Timeout>();
  #text: (() => string) | undefined;
  #last: { readonly text: string; readonly at: number } | undefined;

  private constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
    // Node looks at timeouts of its own every 30 s, and at none while a response is not read.
    this.#server = createServer({ maxHeaderSize: HEAD_BYTES }, (request, response) => {
      response.once('finish', () => this.#answered(request.socket));
      const [path] = (request.url ?? '').split('?', 1);
      const status = path !== '/metrics' ? 404 : request.method === 'GET' || request.method === 'HEAD' ? 200 : 405;
      response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(status === 200 ? this.#current() : 'ksnoop has its metrics at GET /metrics\n');
    });
    this.#server.on('connection', (socket: Socket) => this.#accept(socket));
    this.#server.unref();
  }

  /**
   * @param timeoutMs how long a connection may be without a complete response
   * @throws KsnoopError CANNOT_LISTEN
   */
  static async listen({ host, port }: ScrapeAddress, timeoutMs = TIMEOUT_MS): Promise<ScrapeServer> {
    const made = new ScrapeServer(timeoutMs);
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

  #accept(socket: Socket): void {
    // A client that connects and reads nothing must not keep other clients out.
    const [oldest] = this.#deadlines.size >= CONNECTIONS ? this.#deadlines.keys() : [];
    if (oldest !== undefined) this.#drop(oldest);
    this.#deadlines.set(socket, setTimeout(() => this.#drop(socket), this.#timeoutMs).unref());
    socket.once('close', () => this.#drop(socket));
  }

  #answered(socket: Socket): void {
    const deadline = this.#deadlines.get(socket);
    if (deadline === undefined) return;
    this.#deadlines.delete(socket);
    this.#deadlines.set(socket, deadline.refresh());
  }

  #drop(socket: Socket): void {
    clearTimeout(this.#deadlines.get(socket));
    this.#deadlines.delete(socket);
    socket.destroy();
  }

  #current(): string {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at >= FRESH_MS) {
      this.#last = { text: this.#text?.() ?? '', at: now };
    }
    return this.#last.text;
  }
}
