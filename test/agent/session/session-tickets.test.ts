import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type AcceptedTicket, SessionTickets } from '../../../src/agent/session/session-tickets.ts';
import type { PodAgentTarget } from '../../../src/wire/agent-target.ts';
import { TARGETS_PER_AGENT } from '../../../src/wire/limits.ts';
import type { Ticket, TicketRefusal } from '../../../src/wire/ticket.ts';
import { madeTicket } from '../../ticket/made-ticket.ts';
import { captureRequest } from '../agent-process.ts';

const REFUSED = expect.objectContaining({ code: 'TICKET_REFUSED' });
const FIRST = randomUUID();
const SECOND = randomUUID();
const first = madeTicket({ pods: [FIRST], filter: 'port 80', snaplen: 500 });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function tickets(changes: Partial<Ticket> = {}) {
  const answers: (AcceptedTicket | TicketRefusal)[] = [];
  const session = new SessionTickets({ ticket: { ...first, ...changes }, validMs: 45_000 }, () => {
    const answer = answers.shift();
    if (answer === undefined) throw new Error('no answer');
    return answer;
  });
  const renew = (more: Partial<Ticket>, validMs = 45_000) => {
    answers.push({ ticket: { ...first, ...more }, validMs });
    session.renew('text');
  };
  return { session, renew, answers };
}

function target(uid: string, changes: Partial<PodAgentTarget> = {}): PodAgentTarget {
  const containers = [{ name: 'web', id: 'a'.repeat(64) }];
  return { kind: 'pod', key: uid, namespace: 'shop', pod: 'web-1', uid, containers, hostNetwork: false, ...changes };
}

function request(targets: readonly PodAgentTarget[], changes: object = {}) {
  return { ...captureRequest([]), targets, filter: 'port 80', snaplen: 500, ...changes };
}

test('a request is carried out for the pods of the ticket, found by their UIDs alone', () => {
  const { session } = tickets();
  expect(session.request(request([target(FIRST)])).targets).toEqual([target(FIRST, { containers: [] })]);
});

test.each<[string, object]>([
  ['another filter', { filter: 'port 81' }],
  ['a longer filter', { filter: 'port 80 or port 81' }],
  ['no filter', { filter: undefined }],
  ['a larger snaplen', { snaplen: 501 }],
  ['a smaller snaplen', { snaplen: 499 }],
  ['another pod', { targets: [target(FIRST), target(SECOND)] }],
  ['the network of the node', { targets: [{ key: 'n', kind: 'host' }] }],
  ['a network namespace', { targets: [{ key: 'n', kind: 'netns', name: 'x' }] }],
  ['a process', { targets: [{ key: 'n', kind: 'pid', pid: 1 }] }],
  ['a pod by its name', { targets: [{ key: 'n', kind: 'local-pod', namespace: 'shop', pod: 'web-1' }] }],
  ['the network of a pod that is said to be the node', { targets: [target(FIRST, { hostNetwork: true })] }],
  ['a filter of the target', { targets: [target(FIRST, { filter: 'tcp) or (udp' })] }],
])('%s is refused', (_, changes) => {
  const { session } = tickets();
  expect(() => session.request(request([target(FIRST)], changes))).toThrow(REFUSED);
});

test('a ticket for pods in the network of their node allows these only', () => {
  const { session, renew } = tickets({ hostNetwork: true });
  expect(() => session.target(target(FIRST))).toThrow(REFUSED);
  expect(session.target(target(FIRST, { hostNetwork: true }))).toMatchObject({ hostNetwork: true });
  // A pod does not change what it is: a second ticket that claims it allows nothing more.
  renew({ hostNetwork: false });
  expect(() => session.target(target(FIRST))).toThrow(REFUSED);
});

test('one key is of one pod', () => {
  const { session, renew } = tickets();
  renew({ pods: [SECOND] });
  session.target(target(FIRST));
  expect(() => session.target(target(SECOND, { key: FIRST }))).toThrow(REFUSED);
});

test('another ticket of the same Capture adds its pods', () => {
  const { session, renew } = tickets();
  expect(() => session.target(target(SECOND))).toThrow(REFUSED);
  renew({ pods: [SECOND] });
  expect(session.target(target(SECOND))).toMatchObject({ uid: SECOND });
});

test.each<[string, Partial<Ticket>]>([
  ['Capture', { capture: randomUUID() }],
  ['user', { sub: 'bob' }],
  ['filter', { filter: '' }],
  ['snaplen', { snaplen: 262_144 }],
])('a ticket with another %s adds nothing', (_, changes) => {
  const { session, renew } = tickets();
  expect(() => renew({ pods: [SECOND], ...changes })).toThrow(REFUSED);
  expect(() => session.target(target(SECOND))).toThrow(REFUSED);
});

test('a ticket that does not verify adds nothing', () => {
  const { session, answers } = tickets();
  answers.push('used');
  expect(() => session.renew('text')).toThrow('used before');
});

test('pods that no ticket names any more end, and with the last one the session', () => {
  const { session, renew } = tickets();
  const expired = vi.fn();
  const over = vi.fn();
  session.watch({ expired, over });
  session.target(target(FIRST));
  renew({ pods: [SECOND] }, 60_000);
  session.target(target(SECOND));
  vi.advanceTimersByTime(44_000);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2_000);
  expect(expired.mock.calls).toEqual([[FIRST]]);
  expect(() => session.target(target(FIRST))).toThrow(REFUSED);
  vi.advanceTimersByTime(10_000);
  renew({ pods: [SECOND] }, 45_000);
  vi.advanceTimersByTime(44_000);
  expect(over).not.toHaveBeenCalled();
  vi.advanceTimersByTime(2_000);
  expect(over).toHaveBeenCalledOnce();
  expect(() => session.target(target(SECOND))).toThrow(REFUSED);
  session.close();
  expect(vi.getTimerCount()).toBe(0);
});

test('keys and pods of a session are bounded', () => {
  const { session, renew } = tickets();
  for (let count = 0; count < TARGETS_PER_AGENT; count += 1) session.target(target(FIRST, { key: `key ${count}` }));
  expect(() => session.target(target(FIRST, { key: 'one more' }))).toThrow(REFUSED);
  session.remove('key 0');
  expect(session.target(target(FIRST, { key: 'one more' }))).toMatchObject({ key: 'one more' });
  const all = Array.from({ length: TARGETS_PER_AGENT + 1 }, () => randomUUID());
  renew({ pods: all });
  session.remove('one more');
  const allowed = all.filter((uid) => {
    try {
      session.target(target(uid));
      session.remove(uid);
      return true;
    } catch {
      return false;
    }
  });
  expect(allowed).toHaveLength(TARGETS_PER_AGENT - 1);
});
