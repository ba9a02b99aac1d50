import { expect, test } from 'vitest';
import {
  type AgentEvent,
  type CaptureRequest,
  END_REASONS,
  parseAgentEvent,
  parseCaptureRequest,
  parseControl,
  parseEdgeRequest,
} from '../../src/wire/agent-protocol.ts';
import { type ErrorCode, KsnoopError } from '../../src/wire/errors.ts';
import { SENTENCE_MAXIMUM } from '../../src/wire/limits.ts';
import { Random } from '../support/random.ts';

const counters = { captured: 1, received: 2, droppedByKernel: 3, droppedByKsnoop: 4 };

const EVENTS: readonly AgentEvent[] = [
  { type: 'hello', protocol: '1.0', version: '0.1.0', node: 'node1' },
  { type: 'started', target: 'a', interface: 'shop/web-1/any' },
  { type: 'started', target: 'a', interface: 'shop/web-1/any', id: 3, sandboxMs: 90 },
  { type: 'target-waiting', target: 'a', message: 'It has no process.' },
  { type: 'target-failed', target: 'a', code: 'NO_PROCESS', message: 'It is gone.' },
  { type: 'target-failed', target: 'a', code: 'NO_PROCESS', message: 'It is gone.', hint: 'Look.' },
  { type: 'target-gone', target: 'a' },
  { type: 'counters', target: 'a', counters },
  { type: 'counters', target: 'a', id: 0, counters },
  { type: 'alive' },
  { type: 'clock', sentAt: 1_795_000_000_000, time: 1_795_000_000_003 },
  { type: 'log', message: 'capturing ☃' },
  { type: 'failed', code: 'BAD_FILTER', message: 'syntax error', hint: 'Look.' },
  ...END_REASONS.map((reason) => ({ type: 'end', reason }) as const),
];

const REQUEST: CaptureRequest = {
  type: 'capture',
  protocol: '1.0',
  session: '0123456789abcdef0123456789abcdef',
  targets: [
    {
      key: 'a',
      kind: 'pod',
      namespace: 'shop',
      pod: 'web-1',
      uid: '5f0c',
      containers: [{ name: 'web', id: 'abc' }],
      hostNetwork: false,
      filter: 'tcp port 80',
      wait: true,
    },
    { key: 'b', kind: 'local-pod', namespace: 'shop', pod: 'web-2' },
    { key: 'c', kind: 'netns', name: '/run/netns/x' },
    { key: 'd', kind: 'pid', pid: 1 },
    { key: 'e', kind: 'host' },
  ],
  interface: 'eth0.100',
  filter: 'not port 22',
  snaplen: 262_144,
  maxDurationMs: 86_400_000,
  follow: true,
};

test('every event and every kind of target is read as it was written', () => {
  for (const event of EVENTS) expect(parseAgentEvent(JSON.stringify(event))).toEqual(event);
  expect(parseCaptureRequest(JSON.stringify(REQUEST))).toEqual(REQUEST);
  for (const type of ['heartbeat', 'stop', 'acknowledge'] as const) {
    expect(parseControl(JSON.stringify({ type }))).toEqual({ type });
  }
  for (const target of REQUEST.targets) {
    expect(parseControl(JSON.stringify({ type: 'add', target }))).toEqual({ type: 'add', target });
  }
  expect(parseControl('{"type":"clock","sentAt":5}')).toEqual({ type: 'clock', sentAt: 5 });
  expect(parseControl('{"type":"remove","key":"a"}')).toEqual({ type: 'remove', key: 'a' });
});

test('words of an event that are too long are refused, a hint is cut', () => {
  const long = 'x'.repeat(60_000);
  const refused = [
    { type: 'started', target: 'a', interface: long },
    { type: 'started', target: long, interface: 'a' },
    { type: 'counters', target: long, counters: {} },
    { type: 'failed', code: long, message: 'a' },
    { type: 'hello', protocol: '1.0', version: long },
    { type: 'log', message: long + long },
  ];
  for (const event of refused) expect(() => parseAgentEvent(JSON.stringify(event))).toThrow('no usable');
  const failed = parseAgentEvent(JSON.stringify({ type: 'failed', code: 'A', message: 'a', hint: long }));
  expect(failed).toEqual({ type: 'failed', code: 'A', message: 'a', hint: long.slice(0, SENTENCE_MAXIMUM) });
});

test('members of a later minor version are left out, and what it leaves out has a value', () => {
  expect(parseAgentEvent('{"type":"alive","mood":"good"}')).toEqual({ type: 'alive' });
  expect(parseCaptureRequest(JSON.stringify({ ...REQUEST, ring: 5 }))).toEqual(REQUEST);
  expect(parseAgentEvent('{"type":"counters","target":"a","counters":{"captured":5}}')).toMatchObject({
    counters: { captured: 5, received: 0, droppedByKernel: 0, droppedByKsnoop: 0 },
  });
  // An end for a reason not known here is not taken for one in good order.
  expect(parseAgentEvent('{"type":"end","reason":"bored"}')).toEqual({ type: 'end', reason: 'failed' });
});

test.each(['eth0', 'any', 'veth0@x', 'a'.repeat(15)])('interface name %s', (name) => {
  expect(parseCaptureRequest(JSON.stringify({ ...REQUEST, interface: name })).interface).toBe(name);
});

test.each(['-i', ':x', 'a b', 'a/b', 'eth0:1', 'a\n', '', 'a'.repeat(16)])('no interface name: %j', (name) => {
  expect(() => parseCaptureRequest(JSON.stringify({ ...REQUEST, interface: name }))).toThrow(
    expect.objectContaining({ code: 'INVALID_MESSAGE' }),
  );
});

/** A filter that is too long is the user's mistake, all else the sender's. */
const REFUSALS = new Set<ErrorCode>(['INVALID_MESSAGE', 'BAD_FILTER']);

/** Any JSON, in place of any member however deep. */
function changed(random: Random, value: unknown): unknown {
  const values = [null, true, -1, 1e300, 0.5, '', 'x'.repeat(70_000), [], [null], {}, { type: 'stop' }];
  if (typeof value !== 'object' || value === null || random.below(4) === 0) return values[random.below(values.length)];
  if (Array.isArray(value))
    return value.map((item) => (random.below(value.length) === 0 ? changed(random, item) : item));
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  return Object.fromEntries(entries.map(([key, item], index) => [key, index === at ? changed(random, item) : item]));
}

test('whatever comes is a message or an error of ours, and what is taken is taken again', () => {
  const random = new Random(9);
  const taken = { requests: 0, events: 0, refusals: 0 };
  const attempt = (parse: () => void) => {
    try {
      parse();
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError) || !REFUSALS.has(thrown.code)) throw thrown;
      taken.refusals += 1;
    }
  };
  for (let round = 0; round < 5_000; round += 1) {
    attempt(() => {
      const request = parseCaptureRequest(JSON.stringify(changed(random, REQUEST)));
      expect(parseCaptureRequest(JSON.stringify(request))).toEqual(request);
      taken.requests += 1;
    });
    attempt(() => {
      const event = parseAgentEvent(JSON.stringify(changed(random, EVENTS[round % EVENTS.length])));
      if (event !== undefined) expect(parseAgentEvent(JSON.stringify(event))).toEqual(event);
      taken.events += 1;
    });
    attempt(() => void parseControl(JSON.stringify(changed(random, { type: 'stop' }))));
  }
  for (const count of Object.values(taken)) expect(count).toBeGreaterThan(100);
});

test('a filter of up to 4096 bytes is taken, of the request or of a target', () => {
  const [target] = REQUEST.targets;
  const take = (filter: string) => {
    parseCaptureRequest(JSON.stringify({ ...REQUEST, filter }));
    parseCaptureRequest(JSON.stringify({ ...REQUEST, targets: [{ ...target, filter }] }));
    parseControl(JSON.stringify({ type: 'add', target: { ...target, filter } }));
  };
  take('x'.repeat(4_096));
  for (const filter of ['x'.repeat(4_097), 'ü'.repeat(2_049)]) {
    const tooLong = expect.objectContaining({ code: 'BAD_FILTER', hint: expect.any(String) });
    expect(() => parseCaptureRequest(JSON.stringify({ ...REQUEST, filter }))).toThrow(tooLong);
    expect(() => parseCaptureRequest(JSON.stringify({ ...REQUEST, targets: [{ ...target, filter }] }))).toThrow(
      tooLong,
    );
    expect(() => parseControl(JSON.stringify({ type: 'add', target: { ...target, filter } }))).toThrow(tooLong);
  }
});

test('what an analysis may add up is taken of its request only where it is true', () => {
  expect(parseEdgeRequest({ counts: true, alone: true, lookups: true })).toMatchObject({ alone: true, lookups: true });
  for (const value of [false, 1, 'true', null, undefined]) {
    const request = parseEdgeRequest({ counts: true, alone: value, lookups: value });
    expect(request).not.toHaveProperty('alone');
    expect(request).not.toHaveProperty('lookups');
  }
});
