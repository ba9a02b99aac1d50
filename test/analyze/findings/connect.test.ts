import { expect, test } from 'vitest';
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
