import type { AgentTransport, TransportEnd, TransportHandlers } from '../../src/capture/streams/transport.ts';
import type { AgentEvent, EndReason } from '../../src/wire/agent-protocol.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import { PROTOCOL_TEXT } from '../../src/wire/version.ts';
import { describe, end, header, packet } from './pcapng-sample.ts';

/** An agent behind a transport, played by the test line by line. It has greeted when it is made. */
export class PlayedAgent implements AgentTransport {
  readonly ended: Promise<TransportEnd>;
  /** What the client has said: the request first. */
  readonly said: { readonly type: string }[] = [];
  paused = false;
  /** How far its clock is ahead, milliseconds; undefined leaves the client's question for the time without an answer. */
  clockAheadMs: number | undefined;
  terminated = false;
  settle: (end: TransportEnd) => void = () => {};
  readonly #handlers: TransportHandlers;

  constructor(handlers: TransportHandlers) {
    this.#handlers = handlers;
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
    this.tell({ type: 'hello', protocol: PROTOCOL_TEXT, version: '0', node: 'node1' });
  }

  tell(event: AgentEvent): void {
    this.stderr(`${JSON.stringify(event)}\n`);
  }

  stderr(text: string): void {
    this.#handlers.stderr(Buffer.from(text));
  }

  write(text: string): void {
    for (const line of text.trim().split('\n')) {
      const message = JSON.parse(line);
      if (message.type !== 'clock') this.said.push(message);
      else if (this.clockAheadMs !== undefined) {
        this.tell({ type: 'clock', sentAt: message.sentAt, time: Date.now() + this.clockAheadMs });
      }
    }
  }

  send(...blocks: Uint8Array[]): void {
    this.#handlers.stdout(Buffer.concat(blocks));
  }

  /** Target `a` is captured, and its first packet is here. */
  capture(): void {
    this.tell({ type: 'started', target: 'a', interface: 'shop/a/any' });
    this.send(header(), describe('shop/a/any'), packet(0, 5n, new Uint8Array(20)));
  }

  finish(reason: EndReason = 'stopped'): void {
    this.send(end());
    this.tell({ type: 'end', reason });
    this.settle({ kind: 'exited', code: 0 });
  }

  lose(): void {
    this.settle({ kind: 'lost', error: new KsnoopError('STREAM_LOST', 'The stream broke.') });
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  terminate(): void {
    this.terminated = true;
    this.lose();
  }
}
