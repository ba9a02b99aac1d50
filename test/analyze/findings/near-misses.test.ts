import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import { Findings } from '../../../src/analyze/findings/findings.ts';
import type { FlowIdentity } from '../../../src/analyze/flow/flow-facts.ts';
import { Hosts } from '../../../src/analyze/identity/hosts.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { BUILT_EPOCH_NS, type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { findingContext } from '../../support/finding-context.ts';
import { Judged } from '../../support/found-in.ts';

/** What is nearly a finding, and must not be one; beside each the case that is. */
function foundIn(segments: readonly BuiltSegment[]): Finding[] {
  const capture: CaptureAnalysis = new CaptureAnalysis(
    { event: (event, flow) => judged.event(event, flow), flowEnded: (flow) => judged.flowEnded(flow) },
    { detail: true, showSecrets: false },
  );
  const { hosts } = capture.analysis;
  const judged = new Findings(findingContext(BUILT_EPOCH_NS, hosts));
  capture.push(builtPcap(segments));
  capture.end();
  return judged.list();
}

const codes = (found: readonly Finding[]) => found.map(({ code }) => code);

/** A connection that is opened and closed again. @param index gives it ports and numbers of its own */
function healthy(index: number, at: number, server = 80): BuiltSegment[] {
  const initial = [index * 100_000 + 100, index * 100_000 + 200] as const;
  const ports = [50_000 + index, server] as const;
  return handshake(initial, at).map((segment) => ({ ...segment, ports }));
}

function syns(index: number, count: number, at = 0, server = 80): BuiltSegment[] {
  return Array.from({ length: count }, (_, again) => ({
    side: 0 as const,
    sequence: index * 100_000 + 100,
    flags: 'S',
    at: at + (2 ** again - 1) * 1000,
    ports: [40_000 + index, server] as const,
  }));
}

function refused(index: number, at: number, server = 80): BuiltSegment[] {
  const ports = [40_000 + index, server] as const;
  const sequence = index * 100_000 + 100;
  return [
    { side: 0, sequence, flags: 'S', at, ports },
    { side: 1, sequence: 0, acknowledgment: sequence + 1, flags: 'R.', at: at + 1, ports },
  ];
}

test('a server that does not answer is proven where answers of others are captured', () => {
  const [timeout] = foundIn([...healthy(1, 0, 90), ...syns(0, 4)]);
  expect(timeout).toMatchObject({ code: 'CONNECT_TIMEOUT', confidence: 'proven', cases: 1 });
});

test('a SYN that was sent twice may be answered after the end of the capture', () => {
  expect(foundIn([...healthy(1, 0, 90), ...syns(0, 2)])).toEqual([]);
  expect(codes(foundIn([...healthy(1, 0, 90), ...syns(0, 2), ...syns(2, 2)]))).toEqual(['CONNECT_TIMEOUT']);
});

test('a client that tries many ports looks for open ones', () => {
  const scan = (ports: number) =>
    Array.from({ length: ports }, (_, port) => refused(port, port * 10, 1000 + port)).flat();
  expect(foundIn(scan(40))).toEqual([]);
  expect(codes(foundIn(scan(2)))).toEqual(['POD_NOT_LISTENING', 'POD_NOT_LISTENING']);
  const silent = Array.from({ length: 40 }, (_, port) => syns(port, 3, port * 10, 1000 + port)).flat();
  expect(foundIn([...healthy(99, 0, 90), ...silent])).toEqual([]);
});

test('a server that refused while it started is information; a single refusal is no error', () => {
  const started = foundIn([...refused(0, 0), ...refused(1, 10), ...refused(2, 20), ...healthy(9, 1000)]);
  expect(started).toMatchObject([{ code: 'POD_NOT_LISTENING', severity: 'information' }]);
  expect(foundIn(refused(0, 0))).toMatchObject([{ severity: 'warning' }]);
  expect(foundIn([...healthy(9, 0), ...refused(0, 10), ...refused(1, 20), ...refused(2, 30)])).toMatchObject([
    { severity: 'error', cases: 3 },
  ]);
});

const GET = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

/** A request after an idle time on a used connection, which the server ends without a response. */
function race(idleMs: number, workMs: number): BuiltSegment[] {
  const asked = 101 + GET.length;
  const answered = 201 + OK.length;
  const second = 10 + idleMs;
  return [
    ...handshake([100, 200]),
    { side: 0, sequence: 101, acknowledgment: 201, flags: 'P.', payload: GET, at: 5 },
    { side: 1, sequence: 201, acknowledgment: asked, flags: 'P.', payload: OK, at: 10 },
    { side: 0, sequence: asked, acknowledgment: answered, flags: 'P.', payload: GET, at: second },
    { side: 1, sequence: answered, acknowledgment: asked + GET.length, flags: 'R.', at: second + workMs },
  ];
}

test('only a connection that was idle, and ends at once, shows a race of keep-alives', () => {
  expect(codes(foundIn(race(5000, 1)))).toContain('KEEPALIVE_RACE');
  expect(codes(foundIn(race(20, 1)))).not.toContain('KEEPALIVE_RACE');
  expect(codes(foundIn(race(5000, 3000)))).not.toContain('KEEPALIVE_RACE');
});

/** DNS exchanges that a client made, in this order. */
function dnsFindings(questions: readonly (readonly [type: string, name: string, rcode: string])[]): Finding[] {
  const hosts = new Hosts();
  const number = (last: number) => hosts.number(Uint8Array.of(10, 0, 0, last), 0, 4);
  const flow: FlowIdentity = {
    id: 7,
    transport: 'udp',
    clientHost: number(1),
    serverHost: number(53),
    clientPort: 40_000,
    serverPort: 53,
    interfaceId: 0,
  };
  const judged = new Findings(findingContext(BUILT_EPOCH_NS, hosts));
  for (const [index, [type, name, rcode]] of questions.entries()) {
    const time = index * 1e6;
    const exchange: Exchange = {
      kind: 'exchange',
      protocol: 'dns',
      label: `${type} ${name}`,
      route: type,
      time,
      requestEnd: time,
      responseTime: time + 1e5,
      responseEnd: time + 1e5,
      requestBytes: 40,
      responseBytes: 40,
      status: rcode,
      failed: rcode === 'SERVFAIL',
      fields: { dns: { name, type, rcode } },
    };
    judged.event(exchange, flow);
  }
  return judged.list();
}

const SEARCH = ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'];

test('a short name that no search suffix makes resolve is one missing name, with names that are near', () => {
  const tried = SEARCH.map((suffix) => ['A', `wbe.${suffix}`, 'NXDOMAIN'] as const);
  const found = dnsFindings([['A', 'web.shop.svc.cluster.local', 'NOERROR'], ...tried, ['A', 'wbe', 'NXDOMAIN']]);
  expect(found).toMatchObject([{ code: 'DNS_NAME_MISSING', subject: 'wbe', severity: 'error', cases: 4 }]);
  expect(found[0]?.next).toContain('web.shop.svc.cluster.local');
});

test('a name that resolves with any suffix, or without one, is not missing', () => {
  expect(
    dnsFindings([
      ['A', 'web', 'NXDOMAIN'],
      ['A', 'web.shop.svc.cluster.local', 'NOERROR'],
    ]),
  ).toEqual([]);
  const external = SEARCH.map((suffix) => ['A', `api.example.com.${suffix}`, 'NXDOMAIN'] as const);
  expect(dnsFindings([...external, ['A', 'api.example.com', 'NOERROR']])).toEqual([]);
});

test('a Service of another namespace is found with a later suffix, and its name is never asked for alone', () => {
  const first = ['A', 'edge.front.shop.svc.cluster.local', 'NXDOMAIN'] as const;
  const attempts = [first, first, first, first];
  expect(dnsFindings([...attempts, ['A', 'edge.front.svc.cluster.local', 'NOERROR']])).toEqual([]);
  expect(dnsFindings([...attempts, ['A', 'edge.front.svc.cluster.local', 'NXDOMAIN']])).not.toEqual([]);
});

test('reverse lookups, records other than addresses, and a browser’s random names are not missing names', () => {
  expect(
    dnsFindings([
      ['PTR', '1.0.0.10.in-addr.arpa', 'NXDOMAIN'],
      ['SRV', '_mongodb._tcp.db.example.com', 'NXDOMAIN'],
      ['A', 'qzkxwvtrbn', 'NXDOMAIN'],
    ]),
  ).toEqual([]);
});

test('many names are judged in linear time', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => ['A', `a.b.c.d${index}.example`, 'NXDOMAIN'] as const);
  expect(dnsFindings(many).length).toBeGreaterThan(0);
});

test('connections to another port of a server that succeed later do not show that it listens on the refused one', () => {
  for (const serverPort of [80, 81]) {
    const all = new Judged();
    all.names.add('10.0.0.2', { pod: 'web-1', namespace: 'shop' }, 0);
    for (let index = 0; index < 3; index += 1)
      all.ended(all.flow(1, 2, { serverPort: 81 }), index, { state: 'refused', resetBy: 'server', syns: 1 });
    all.ended(all.flow(1, 2, { serverPort }), 9, { state: 'closed', syns: 1 });
    expect(all.found[0]?.severity).toBe(serverPort === 80 ? 'error' : 'information');
  }
});
