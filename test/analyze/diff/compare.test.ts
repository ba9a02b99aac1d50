import { expect, it } from 'vitest';
import { compared, type Side } from '../../../src/analyze/diff/compare.ts';
import { isWorse } from '../../../src/analyze/diff/difference.ts';
import type { Finding } from '../../../src/analyze/findings/finding.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { Summary } from '../../../src/analyze/summary/summary.ts';
import { exchange, madeAnalysis, SERVER, tcpDirection, tcpFacts } from '../made-events.ts';

function side(fill: (made: ReturnType<typeof madeAnalysis> & { readonly summary: Summary }) => void): Side {
  const analysis = madeAnalysis();
  const summary = new Summary(analysis.hosts, analysis.names);
  analysis.names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web' }, 0);
  fill({ ...analysis, summary });
  const totals = { exchanges: 1000, connections: 100, duration: 60e9 };
  return { summary: summary.totals(analysis.recorder, undefined), findings: [], totals };
}

/** A thousand requests, of which the first `failing` fail. */
function requests(failing: number, parts: Partial<Exchange> = {}): Side {
  return side(({ summary, flow }) => {
    for (let index = 0; index < 1000; index += 1) {
      const failed = index < failing ? { status: '503', failed: true } : {};
      summary.event(exchange({ ...parts, ...failed }), flow());
    }
  });
}

const brief = (a: Side, b: Side) =>
  compared(a, b).differences.map(({ area, subject, detail, what, worse }) => [area, subject, detail, what, worse]);

it('finds nothing in two equal captures', () => {
  expect(compared(requests(20), requests(23))).toMatchObject({ differences: [], appeared: [], resolved: [] });
});

it('finds failures, statuses and latencies of a route that got worse, and better', () => {
  const slow = requests(200, { responseTime: 9e6, responseEnd: 10e6 });
  expect(brief(requests(1), slow)).toEqual([
    ['route', 'web.shop', 'http GET /cart', 'failed', true],
    ['route', 'web.shop', 'http GET /cart', 'p50', true],
    ['route', 'web.shop', 'http GET /cart', 'p90', true],
    ['route', 'web.shop', 'http GET /cart', 'status 200', undefined],
    ['route', 'web.shop', 'http GET /cart', 'status 503', undefined],
  ]);
  const [failed] = compared(slow, requests(1)).differences.filter(({ what }) => what === 'failed');
  expect(failed).toMatchObject({ unit: 'share', a: 0.2, b: 0.001, ofA: 1000, ofB: 1000, worse: false });
  expect(isWorse(compared(slow, requests(1)))).toBe(false);
  expect(isWorse(compared(requests(1), slow))).toBe(true);
});

it('does not compare how much of the exchanges was captured, or is proven', () => {
  const likely = side(({ summary, flow }) => {
    for (let index = 0; index < 1000; index += 1) {
      const cut = { status: '', responseTime: undefined, responseEnd: undefined, incomplete: 'capture ended' } as const;
      summary.event(exchange(index % 5 === 0 ? cut : index % 5 < 3 ? { incomplete: 'unknown' } : {}), flow());
    }
  });
  expect(brief(requests(0), likely)).toEqual([]);
});

it('says of which latencies one capture has too few', () => {
  const unproven = requests(0, { incomplete: 'unknown', responseTime: 1.3e9, responseEnd: 1.4e9 });
  const base = { area: 'route', subject: 'web.shop', detail: 'http GET /cart', ofA: 1000, ofB: 1000 };
  expect(compared(requests(0), unproven).untimed).toEqual([{ ...base, timedA: 1000, timedB: 0 }]);
  expect(compared(unproven, requests(0)).untimed).toEqual([{ ...base, timedA: 0, timedB: 1000 }]);
  expect(compared(unproven, unproven).untimed).toEqual([]);
  expect(compared(requests(0), requests(0)).untimed).toEqual([]);
});

it('finds routes that appeared and disappeared by their share of the Service', () => {
  const more = side(({ summary, flow }) => {
    for (let index = 0; index < 1000; index += 1) {
      summary.event(exchange(index % 5 === 0 ? { route: 'GET /new' } : {}), flow());
    }
  });
  expect(brief(requests(0), more)).toEqual([['route', 'web.shop', 'http GET /new', 'traffic', undefined]]);
  const [gone] = compared(more, requests(0)).differences;
  expect(gone).toMatchObject({ a: 0.2, b: 0 });
});

it('compares DNS, TLS and the health of TCP', () => {
  const made = (bad: boolean) =>
    side(({ summary, flow }) => {
      for (let index = 0; index < 100; index += 1) {
        const status = bad && index < 30 ? 'NXDOMAIN' : 'NOERROR';
        summary.event(exchange({ protocol: 'dns', label: 'A db.shop', route: 'A', status }), flow());
        const tls = { sni: 'web', version: bad ? 'TLS1.2' : 'TLS1.3' };
        summary.event(exchange({ protocol: 'tls', route: 'web', fields: { tls } }), flow());
        const client = { ...tcpDirection, retransmissions: bad ? 3 : 0 };
        const refused = bad && index < 40 ? ({ state: 'refused', resetBy: 'server' } as const) : {};
        summary.flowEnded(flow({ id: index, tcp: { ...tcpFacts, client, ...refused } }));
      }
    });
  const found = brief(made(false), made(true));
  expect(found).toContainEqual(['dns', 'db.shop', 'A', 'status NXDOMAIN', undefined]);
  expect(found).toContainEqual(['tls', 'web', 'TLS1.2', 'handshakes with this version', undefined]);
  expect(found).toContainEqual(['tcp', 'web.shop', 'port 80', 'connections refused', true]);
  expect(found).toContainEqual(['tcp', 'web.shop', 'port 80', 'retransmissions per MB', true]);
});

it('finds DNS names and servers that appeared and disappeared', () => {
  const made = (name: string, port: number) =>
    side(({ summary, flow }) => {
      for (let index = 0; index < 100; index += 1) {
        const asked = index < 20 ? name : 'db.shop';
        summary.event(exchange({ protocol: 'dns', label: `A ${asked}`, route: 'A' }), flow());
        summary.flowEnded(flow({ id: index, serverPort: index < 20 ? port : 80, tcp: tcpFacts }));
      }
    });
  expect(brief(made('old.shop', 81), made('new.shop', 82))).toEqual([
    ['dns', 'new.shop', 'A', 'traffic', undefined],
    ['dns', 'old.shop', 'A', 'traffic', undefined],
    ['tcp', 'web.shop', 'port 81', 'traffic', undefined],
    ['tcp', 'web.shop', 'port 82', 'traffic', undefined],
  ]);
});

it('lists findings that appeared and were resolved', () => {
  const finding = (code: string, severity: Finding['severity'] = 'error'): Finding => ({
    code,
    severity,
    confidence: 'proven',
    subject: 'web.shop',
    message: `${code}.`,
    evidence: [],
    next: '',
    otherwise: undefined,
    cases: 1,
    attempts: 1,
  });
  const a = { ...requests(0), findings: [finding('BOTH'), finding('OLD')] };
  const b = { ...requests(0), findings: [finding('BOTH'), finding('NEW', 'information')] };
  const report = compared(a, b);
  expect(report.appeared.map(({ code }) => code)).toEqual(['NEW']);
  expect(report.resolved.map(({ code }) => code)).toEqual(['OLD']);
  expect(isWorse(report)).toBe(false);
  expect(isWorse(compared(b, a))).toBe(true);
});
