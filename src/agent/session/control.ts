import type { Readable } from 'node:stream';
import { type CaptureRequest, parseCaptureRequest, parseControl } from '../../wire/agent-protocol.ts';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { lineSplitter } from '../../wire/lines.ts';
import { Silence } from '../../wire/silence.ts';
import { FIRST_REQUEST_MS, LEASE_LOOK_MS } from '../limits.ts';

export interface ControlHandlers {
  request(request: CaptureRequest): void;
  stop(): void;
  acknowledge(): void;
  /** The client requests the node's time. */
  clock(sentAt: number): void;
  add(target: AgentTarget): void;
  remove(key: string): void;
  /** Another agent joins the capture. */
  notAlone(): void;
  /** A signed ticket, also before the request. */
  ticket(text: string): void;
  /** stdin has ended: the client is gone. */
  closed(): void;
  /** No heartbeat for the lease's time. */
  leaseLost(): void;
  /** What came was no request. */
  invalid(error: KsnoopError): void;
}

/** How a line with a ticket begins, as clients write it: a request may be long, and is read once. */
const TICKET_LINE = /^\{"type":"ticket"/;

/**
 * Listens to the client on stdin and watches its lease. Any line renews the lease; the request must come within
 * FIRST_REQUEST_MS.
 * @param leaseMs how long it lasts by now, milliseconds
 * @returns ends the watch
 */
export function listen(stdin: Readable, handlers: ControlHandlers, leaseMs: () => number): () => void {
  let requested = false;
  const silence = new Silence();
  const watch = setInterval(() => {
    const lease = requested ? leaseMs() : Math.min(leaseMs(), FIRST_REQUEST_MS);
    if (silence.look(LEASE_LOOK_MS) >= lease) handlers.leaseLost();
  }, LEASE_LOOK_MS);
  const split = lineSplitter((line) => {
    silence.heard();
    if (!requested) {
      const early = TICKET_LINE.test(line) ? parseControl(line) : undefined;
      if (early?.type === 'ticket') {
        handlers.ticket(early.ticket);
        return;
      }
      requested = true;
      handlers.request(parseCaptureRequest(line));
      return;
    }
    const control = parseControl(line);
    if (control?.type === 'stop') handlers.stop();
    if (control?.type === 'acknowledge') handlers.acknowledge();
    if (control?.type === 'clock') handlers.clock(control.sentAt);
    if (control?.type === 'add') handlers.add(control.target);
    if (control?.type === 'remove') handlers.remove(control.key);
    if (control?.type === 'not-alone') handlers.notAlone();
    if (control?.type === 'ticket') handlers.ticket(control.ticket);
  });
  stdin.on('data', (chunk: Buffer) => {
    try {
      split(chunk);
    } catch (thrown) {
      const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('INVALID_MESSAGE', messageOf(thrown));
      handlers.invalid(error);
    }
  });
  stdin.on('end', () => handlers.closed());
  stdin.on('error', () => handlers.closed());
  return () => {
    clearInterval(watch);
    stdin.pause();
  };
}
