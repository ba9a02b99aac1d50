import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { REFUSED_TICKETS } from '../../../src/agent/limits.ts';
import { CapturedCounts } from '../../../src/agent/session/captured-counts.ts';
import { RingBudget } from '../../../src/agent/session/ring-budget.ts';
import { Session } from '../../../src/agent/session/run-session.ts';
import { SessionTickets, type TicketHandlers } from '../../../src/agent/session/session-tickets.ts';
import { DiskBudget } from '../../../src/agent/spool/disk-budget.ts';
import { MemoryBudget } from '../../../src/agent/spool/memory-budget.ts';
import { type AgentEvent, parseAgentEvent } from '../../../src/wire/agent-protocol.ts';
import { lineSplitter } from '../../../src/wire/lines.ts';
import { HANG_MS } from '../../support/hang.ts';
import { madeTicket } from '../../ticket/made-ticket.ts';
import { captureRequest } from '../agent-process.ts';

/** Tickets whose time passes when the test says so. */
class PlayedTickets extends SessionTickets {
  handlers: TicketHandlers | undefined;

  override watch(handlers: TicketHandlers): void {
    this.handlers = handlers;
  }
}

const ticket = madeTicket({ filter: '' });
const [uid = ''] = ticket.pods;

/** A session with a ticket for one pod, which does not exist yet. */
function opened() {
  const tickets = new PlayedTickets({ ticket, validMs: 60_000 }, () => 'used');
  const memory = new MemoryBudget({ free: () => undefined });
  const resources = {
    memory,
    disk: new DiskBudget(0, 0),
    takePlace: async () => () => {},
    rings: new RingBudget(),
    kills: () => undefined,
    captured: new CapturedCounts(),
    log: undefined,
  };
  const events: AgentEvent[] = [];
  const stdin = new PassThrough();
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.resume();
  stderr.on(
    'data',
    lineSplitter((line) => {
      const event = parseAgentEvent(line);
      if (event !== undefined) events.push(event);
    }),
  );
  const finish = vi.fn();
  const streams = { stdin, stdout, stderr, leaseMs: () => HANG_MS, finish, abandon: finish };
  new Session(streams, resources, memory.open(), tickets);
  const say = (message: object) => stdin.write(`${JSON.stringify(message)}\n`);
  const until = (type: AgentEvent['type']) =>
    vi.waitUntil(() => events.some((event) => event.type === type), { timeout: HANG_MS, interval: 5 });
  return { tickets, events, say, until, finish };
}

const pod = (key: string) =>
  ({ kind: 'pod', key, namespace: 'shop', pod: 'web-1', uid, containers: [], hostNetwork: false, wait: true }) as const;

test('a session ends in order when its last ticket has expired, whatever its client does', async () => {
  const { tickets, events, say, until, finish } = opened();
  say(captureRequest([pod('a')], { snaplen: ticket.snaplen, follow: true }));
  await until('target-waiting');
  tickets.handlers?.over();
  await until('end');
  expect(events.at(-1)).toEqual({ type: 'end', reason: 'tickets' });
  say({ type: 'acknowledge' });
  await vi.waitUntil(() => finish.mock.calls.length > 0, { timeout: HANG_MS });
});

test('a target whose ticket has expired is not waited for any more, and the others are', async () => {
  const { tickets, events, say, until } = opened();
  say(captureRequest([pod('a'), pod('b')], { snaplen: ticket.snaplen, follow: true }));
  await until('target-waiting');
  tickets.handlers?.expired('a');
  await until('target-gone');
  expect(events.filter(({ type }) => type === 'target-gone')).toEqual([{ type: 'target-gone', target: 'a' }]);
  tickets.handlers?.over();
  await until('end');
  say({ type: 'acknowledge' });
});

test('without a valid ticket nothing is captured, and a session without a request ends', async () => {
  const { tickets, events, say, until, finish } = opened();
  say(captureRequest([pod('a')], { filter: 'port 80', snaplen: ticket.snaplen }));
  await until('failed');
  expect(events.at(-1)).toMatchObject({ code: 'TICKET_REFUSED' });
  await vi.waitUntil(() => finish.mock.calls.length > 0, { timeout: HANG_MS });
  const another = opened();
  another.tickets.handlers?.over();
  await vi.waitUntil(() => another.finish.mock.calls.length > 0, { timeout: HANG_MS });
  expect(tickets.user).toBe('alice');
});

test('a client that hands in refused tickets without end loses its session, not one that is refused now and then', async () => {
  const { events, say, until, finish } = opened();
  for (let count = 0; count < REFUSED_TICKETS; count += 1) say({ type: 'ticket', ticket: 'x' });
  say(captureRequest([pod('a')], { snaplen: ticket.snaplen, follow: true }));
  await until('target-waiting');
  for (let count = 0; count < 1_000; count += 1) say({ type: 'ticket', ticket: 'x' });
  await until('failed');
  expect(events.find(({ type }) => type === 'failed')).toMatchObject({ code: 'TICKET_REFUSED' });
  await vi.waitUntil(() => finish.mock.calls.length > 0, { timeout: HANG_MS });
  const refusals = events.filter((event) => event.type === 'log' && event.message.includes('was used before'));
  expect(refusals).toHaveLength(REFUSED_TICKETS);
});
