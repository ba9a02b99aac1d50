import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy on loopback that cuts its connections without a goodbye, when told to or after so many bytes. */
export class CuttingProxy {
  /** Bytes that the next connections carry towards the client before they are cut; the last one counts on. */
  readonly budgets: number[] = [];
  connections = 0;
  /** False: what is asked to connect is cut at once. */
  open = true;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server;

  constructor(target: number) {
    this.#server = createServer((client) => {
      if (!this.open) {
        client.resetAndDestroy();
        return;
      }
      this.connections += 1;
      let left = this.budgets.shift() ?? Number.POSITIVE_INFINITY;
      const agent = connect(target, '127.0.0.1');
      const pair = [client, agent] as const;
      this.#pairs.add(pair);
      const cut = () => this.#cut(pair);
      for (const socket of pair) socket.on('error', cut).on('close', cut);
      client.on('data', (chunk) => agent.write(chunk));
      agent.on('data', (chunk: Buffer) => {
        client.write(chunk.subarray(0, left), () => {
          if (left <= 0) cut();
        });
        left -= chunk.length;
        if (client.writableLength > 1024 * 1024) {
          agent.pause();
          client.once('drain', () => agent.resume());
        }
      });
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    for (const pair of this.#pairs) this.#cut(pair);
  }

  /** Carry nothing any more, without a word: a network that went away. New connections are carried again. */
  freeze(): void {
    for (const pair of this.#pairs) this.#stop(pair);
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #stop([client, agent]: readonly [Socket, Socket]): void {
    client.pause();
    agent.pause();
  }

  #cut(pair: readonly [Socket, Socket]): void {
    this.#pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }
}
