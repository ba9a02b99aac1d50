import { expect, test } from 'vitest';
import type { TcpFacts } from '../../../src/analyze/flow/flow-facts.ts';
import { Judged } from '../../support/found-in.ts';

/** Connections to 10.0.0.2 that an ICMP message of `from` refuses. */
function rejected(from: string, names: readonly string[] = []) {
  const judged = new Judged();
  if (names.length > 0) judged.names.addRecord('10.0.0.2', names);
  for (let index = 0; index < 3; index += 1) {
    const flow = judged.flow(1, 2);
    const label = `connection rejected by ICMP admin prohibited from ${from}`;
    const base = { kind: 'event', protocol: 'tcp', code: 'TCP_REFUSED', from: undefined, failed: true } as const;
    judged.event({ ...base, label, time: index, fields: { icmp: { type: 3, code: 13, from } } }, flow);
    judged.ended(flow, index, { state: 'refused' });
  }
  return judged.found;
}

test('who rejects connections on the way is said with its address', () => {
  const [found] = rejected('10.0.0.9');
  expect(found).toMatchObject({ code: 'CONNECT_REJECTED_ON_PATH', confidence: 'proven', subject: '10.0.0.2:80' });
  expect(found?.message).toContain('10.0.0.9 rejects connections to 10.0.0.2:80: all 3 connections');
});

test('a host that rejects by itself may listen nowhere, and a Service has no endpoints', () => {
  expect(rejected('10.0.0.2')).toMatchObject([{ code: 'CONNECT_REJECTED_ON_PATH', confidence: 'likely' }]);
  expect(rejected('10.0.0.2', ['web.shop'])).toMatchObject([{ code: 'SERVICE_NO_ENDPOINTS', subject: 'web.shop' }]);
});

/** What to do about SYNs to 10.0.0.2 without a response. @param name as DNS called the address */
function nextOf(name: string) {
  const judged = new Judged();
  judged.names.addObserved('10.0.0.2', name, 0);
  for (let index = 0; index < 3; index += 1)
    judged.ended(judged.flow(1, 2), index, { state: 'unanswered', syns: 3, synSpan: 3e9 });
  const [found] = judged.found;
  return `${found?.subject}: ${found?.next}`;
}

test('commands name a Service, and not a host whose name looks like one', () => {
  expect(nextOf('web.shop.svc.cluster.local')).toBe(
    'web.shop: To see whether the SYN arrives at the pods: ksnoop trace svc/web -n shop. To list the policies: kubectl get networkpolicy -n shop',
  );
  expect(nextOf('github.com')).toBe('github.com: Capture at the server too, to see whether the SYN arrives there.');
});

test('of more clients than are kept nothing is counted', () => {
  const seen = (clients: number) => {
    const judged = new Judged();
    for (let index = 0; index < clients; index += 1)
      judged.ended(judged.flow(100 + index, 2), index, { state: 'unanswered', syns: 3, synSpan: 3e9 });
    return judged.found[0]?.evidence[0]?.text;
  };
  expect(seen(5)).toContain('10.0.0.100, 10.0.0.101 and 3 more');
  expect(seen(40)).toContain('10.0.0.100, 10.0.0.101 and others');
});

/** Resets of a pod whose interface is captured, seen at that interface or only elsewhere. */
function refused(interfaceId: number, count = 3) {
  const judged = new Judged();
  judged.names.addRecord('10.0.0.2', ['shop/web-1', 'web.shop']);
  judged.names.addInterface(0, 'shop/client-1/eth0');
  judged.names.addInterface(1, 'shop/web-1/eth0');
  for (let index = 0; index < count; index += 1)
    judged.ended(judged.flow(1, 2, { interfaceId }), index, { state: 'refused', resetBy: 'server' });
  return judged.found;
}

test('a reset that leaves the pod is the pod’s own: which pod and port is said', () => {
  const [found] = refused(1);
  expect(found).toMatchObject({ code: 'POD_NOT_LISTENING', confidence: 'likely', subject: 'web.shop' });
  expect(found?.evidence[1]?.text).toBe('the reset left shop/web-1 port 80');
});

test('a reset that a captured pod did not send came from the way', () => {
  expect(refused(0)).toMatchObject([{ code: 'CONNECT_REJECTED_ON_PATH', confidence: 'likely', subject: 'web.shop' }]);
  expect(refused(0, 2)).toMatchObject([{ code: 'POD_NOT_LISTENING', confidence: 'likely' }]);
});

/** SYNs to a pod whose interface is captured, seen at that interface or only elsewhere. */
function unanswered(interfaceId: number, answered = 0) {
  const judged = new Judged();
  judged.names.addRecord('10.0.0.2', ['shop/web-1', 'web.shop']);
  judged.names.addInterface(0, 'shop/client-1/eth0');
  judged.names.addInterface(1, 'shop/web-1/eth0');
  for (let index = 0; index < answered; index += 1) judged.ended(judged.flow(1, 2), index, { state: 'closed' });
  for (let index = 0; index < 3; index += 1)
    judged.ended(judged.flow(1, 2, { interfaceId }), index, { state: 'unanswered', syns: 3, synSpan: 3e9 });
  return judged.found;
}

test('a SYN without a response is said with whether it arrived at the pod', () => {
  const [arrived] = unanswered(1);
  expect(arrived).toMatchObject({ code: 'CONNECT_TIMEOUT', subject: 'web.shop' });
  expect(arrived?.evidence[1]?.text).toBe('the SYN arrived at shop/web-1 port 80');
  expect(arrived?.otherwise).toContain('accept queue');
  const [missed] = unanswered(0);
  expect(missed?.evidence[1]?.text).toBe('the SYN was not seen at the pod, which is captured');
  expect(missed?.otherwise).toContain('the server is gone');
  expect(unanswered(0, 5)[0]?.otherwise).toContain('one of its pods is gone');
});

test('a server that answers nearly all connections is a warning, and a rollout may be the reason', () => {
  const judged = (lost: number, open: number) => {
    const one = new Judged();
    for (let index = 0; index < lost + open; index += 1) {
      const tcp: Partial<TcpFacts> = index < lost ? { state: 'unanswered', syns: 3 } : { state: 'closed', syns: 1 };
      one.ended(one.flow(1, 2), index * 10, tcp);
    }
    return one.found.find(({ code }) => code === 'CONNECT_TIMEOUT');
  };
  expect(judged(3, 400)).toMatchObject({ severity: 'warning', otherwise: expect.stringContaining('a rollout') });
  expect(judged(3, 400)?.message).toContain('does not always answer: 3 of 403 connections');
  expect(judged(5, 400)).toMatchObject({ severity: 'error' });
  expect(judged(5, 0)?.message).toContain('does not answer: all 5 connections');
});
