import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { CallerStats } from '../../../src/analyze/summary/report.ts';
import { type ReportContent, reportPage } from '../../../src/view/html/page.ts';
import { SCRIPT } from '../../../src/view/html/script.ts';
import { sanitise } from '../../../src/view/sanitise.ts';
import { Random } from '../../support/random.ts';
import { parsed, tableOf } from './parsed.ts';
import { caller, reportContent, STYLE_UTC, stats, traceRecord } from './report-content.ts';

/** Elements that the page may have, and what may stand in them. */
const ELEMENTS = new Set(
  (
    'html head meta title style body header h1 h2 h3 p nav a main section details summary strong code ul li pre div span ' +
    'table caption thead tbody tr th td svg g rect path polygon text use'
  ).split(' '),
);

const page = (content: ReportContent = reportContent()) => reportPage(content, STYLE_UTC);
const textOf = (content: ReportContent) =>
  parsed(page(content))
    .map(({ text }) => text)
    .join('');

it('has the findings first, then map, timelines, tables, requests, what was captured, and the command', () => {
  const headings = [...page().matchAll(/<h2[^>]*>([^<]*)</g)].map(([, text]) => text);
  expect(headings).toEqual([
    'Findings',
    'Who calls whom',
    'Timelines',
    'Services, routes, DNS, TLS, TCP',
    'Slowest requests',
    'Failed requests and connections',
    'What was captured, and what was lost',
  ]);
  const text = textOf(reportContent());
  for (const part of [
    'web.shop answers with 503.',
    "ksnoop read FILE --where 'http.status == 503'",
    'HTTP 5/s, 3 failed (10 %), p99 13 ms',
    '2 gaps in TCP streams',
    'ksnoop read a.pcapng -o html',
    'and 2 more that failed',
  ]) {
    expect(text).toContain(part);
  }
});

it('shows an expression with a quote as one word of a command', () => {
  const { findings } = reportContent();
  const where = `dns.name == "it's"`;
  const evidence = [{ text: 'a name', flows: [], times: undefined, where }];
  const text = textOf(reportContent({ findings: findings.map((finding) => ({ ...finding, evidence })) }));
  expect(text).toContain(`ksnoop read FILE --where 'dns.name == "it'\\''s"'`);
});

it('has the numbers of the summary, exactly', () => {
  const { summary } = reportContent();
  const [head = [], ...rows] = tableOf(parsed(page()), 'services');
  expect(head.map(({ text }) => text)).toEqual([
    'Service',
    'Protocol',
    'Count',
    'Rate',
    'Failed',
    'Failed %',
    'Timed',
    'p50',
    'p90',
    'p99',
    'Max',
    'Sent',
    'Received',
  ]);
  const [service] = summary.services;
  expect(rows.map((row) => row.map(({ value, text }) => value ?? text))).toEqual([
    [
      'web.shop',
      'HTTP',
      ...[service?.count, service?.rate, service?.failed, 10, service?.latency?.count].map(String),
      ...[1e6, 2e6, 13e6, 20e6, 900, 2e6].map(String),
    ],
  ]);
});

it('allows nothing but its own style and script, by their hashes', () => {
  const policy = parsed(page()).find(({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy');
  const hash = createHash('sha256').update(SCRIPT).digest('base64');
  expect(policy?.attributes.get('content')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-/,
  );
  expect(policy?.attributes.get('content')).toContain(`script-src 'sha256-${hash}'; base-uri 'none'`);
  expect(page().match(/<script/g)).toHaveLength(1);
  expect(page()).toContain(`<script>${SCRIPT}</script>`);
  expect(Buffer.byteLength(SCRIPT)).toBeLessThan(15 * 1024);
  // The policy forbids both, so they would be lost.
  expect(page().replace(SCRIPT, '')).not.toMatch(/\sstyle=|\son[a-z]+=/);
});

it('is readable by keyboard and screen readers: every scrolling region can be focused and has a name', () => {
  const pieces = parsed(page());
  const regions = pieces.filter(({ attributes }) => attributes.get('class') === 'scroll');
  expect(regions.length).toBeGreaterThan(5);
  for (const { attributes } of regions) {
    expect(attributes.get('tabindex')).toBe('0');
    expect(attributes.get('aria-label')).not.toBe('');
  }
  for (const { attributes } of pieces.filter(({ kind, name }) => kind === 'open' && name === 'svg')) {
    expect(attributes.get('aria-label') ?? attributes.get('aria-hidden')).toBeTruthy();
  }
  const ids = pieces.flatMap(({ attributes }) => attributes.get('id') ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  const links = pieces.filter(({ kind, name }) => kind === 'open' && name === 'a');
  for (const { attributes } of links) expect(ids.map((id) => `#${id}`)).toContain(attributes.get('href'));
});

it('is a page without any traffic as well', () => {
  const empty = reportContent({
    summary: {
      ...reportContent().summary,
      time: undefined,
      services: [],
      pods: [],
      callers: [],
      routes: [],
      dns: [],
      tls: [],
      grpc: [],
      tcp: { ...reportContent().summary.tcp, servers: [] },
    },
    findings: [],
    timeline: { length: 1e7, periods: [] },
    slowest: [],
    failed: [],
    failures: 0,
    interfaces: [],
    notes: [],
    command: undefined,
  });
  expect(textOf(empty)).toContain('Nothing found.');
});

it('has at most 60 nodes on the map and 500 rows in a table', () => {
  const callers = Array.from({ length: 2000 }, (_, index) => caller(`client-${index}`, `server-${index % 700}`));
  const services = Array.from({ length: 700 }, (_, index) => ({
    service: `server-${index}`,
    protocol: 'http',
    ...stats,
  }));
  const text = page(reportContent({ summary: { ...reportContent().summary, callers, services } }));
  const pieces = parsed(text);
  expect(pieces.filter(({ attributes }) => attributes.get('class') === 'node')).toHaveLength(60);
  expect(tableOf(pieces, 'services')).toHaveLength(501);
  expect(text).toContain('and 200 rows more');
  expect(text).toContain('has 500 of 2,000 rows; -o summary --json has all.');
  expect(text).not.toContain('has all numbers');
  // The texts of so many lines are shown on hover and focus only.
  const lines = pieces.filter(({ attributes }) => /^edge/.test(attributes.get('class') ?? ''));
  expect(lines.length).toBeGreaterThan(40);
  for (const { attributes } of lines) {
    expect(attributes.get('class')).toMatch(/quiet$/);
    expect(attributes.get('tabindex')).toBe('0');
    expect(attributes.get('aria-label')).toMatch(/ → .*: HTTP /);
  }
  expect(Buffer.byteLength(text)).toBeLessThan(1.5e6);
});

const PIECES = [
  '<script>document.title="pwned"</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "' onmouseover='alert(1)",
  '</style>',
  '</script>',
  '<!--',
  ']]>',
  '&lt;b&gt;',
  '&amp;#60;',
  'javascript:alert(1)',
  '\u202etxt.exe\u2066',
  '\x1b[2J\x00\x9b',
  '\ud800',
  '日本語🎉',
  '`$' + '{alert(1)}`',
  '\u2028',
  ' ',
  'a'.repeat(300),
];

it('escapes whatever names, labels and statuses come', () => {
  const random = new Random(1716);
  const hostile = () => Array.from({ length: 1 + random.below(4) }, () => PIECES[random.below(PIECES.length)]).join('');
  for (let round = 0; round < 100; round += 1) {
    const used: string[] = [];
    const content = everyText(reportContent({ slowest: [traceRecord({ incomplete: 'reset' })] }), () => {
      const text = hostile();
      used.push(text);
      return text;
    });
    const pieces = parsed(reportPage(content, { ...STYLE_UTC, titleOf: hostile }));
    const names = new Set(pieces.flatMap(({ kind, name }) => (kind === 'text' ? [] : [name])));
    expect([...names].filter((name) => !ELEMENTS.has(name))).toEqual([]);
    for (const { attributes } of pieces)
      for (const name of attributes.keys()) expect(name).not.toMatch(/^(?:on|style$|src)/);
    const all = pieces.map(({ text, attributes }) => text + [...attributes.values()].join('')).join('');
    const parts = pieces.filter(({ kind, name }) => kind === 'open' && name === 'use');
    for (const { attributes } of parts) expect(attributes.get('href')).toBe('#map-calls');
    // Tags, attributes and texts have no control characters and no bidirectional ones.
    expect(all.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    const message = sanitise(content.findings[0]?.message ?? '');
    expect(pieces.map(({ text }) => text).join('')).toContain(message);
  }
});

/** Values that are ksnoop's own words, and times. */
const OWN = new Set(['kind', 'severity', 'confidence', 'of', 'time', 'incomplete', 'version']);

/** The same content with every text in it replaced. */
function everyText<Value>(value: Value, text: () => string, key = ''): Value {
  if (typeof value === 'string') return (OWN.has(key) ? value : text()) as Value;
  if (Array.isArray(value)) return value.map((each: unknown) => everyText(each, text, key)) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, each]: [string, unknown]) => {
    const isCounts = key === 'statuses' || key === 'rcodes';
    return [isCounts ? text() : name, everyText(each, text, name)] as const;
  });
  return Object.fromEntries(entries) as Value;
}

it('shows the highest rates of requests and retransmissions also where they are less than one a second', () => {
  const periods = [{ count: 1, failed: 0, bytes: 1, retransmissions: 2, p50: 1, p99: 1 }];
  const slow = page(reportContent({ timeline: { length: 10e9, periods } }));
  expect(slow).toContain('at most 0.1/s');
  expect(slow).toContain('TCP retransmissions, at most 0.2/s');
});

it('shows retransmissions over time, or that there were none', () => {
  expect(page()).toContain('aria-label="4 TCP retransmissions over time"');
  const periods = [{ count: 1, failed: 0, bytes: 1, retransmissions: 0, p50: 1, p99: 1 }];
  const without = page(reportContent({ timeline: { length: 1e7, periods } }));
  expect(without).toContain('No TCP segment was retransmitted.');
});

it('shows how far a connection came that did not come up, and what the kernel counted', () => {
  const connect = {
    outcome: 'unanswered',
    syns: 3,
    span: 3e9,
    lastSeen: 'shop/client',
    notSeen: ['shop/web-1'],
    between: undefined,
    answerSeen: undefined,
    rejection: undefined,
    counters: [{ place: 'shop/web-1', counter: 'TcpExt ListenOverflows', change: 1228 }],
    confidence: 'proven',
  } as const;
  const failed = [traceRecord({ label: 'connect', failed: true, total: undefined, hops: [], connect })];
  const text = textOf(reportContent({ failed }));
  expect(text).toContain(
    'The connection did not come up (unanswered): 3 SYNs in 3.0 s, last seen at shop/client, not seen at shop/web-1.',
  );
  expect(text).toContain('TcpExt ListenOverflows rose by 1,228 at shop/web-1');
});

it('has no timeline of requests and latencies where there are none', () => {
  const periods = [{ count: 0, failed: 0, bytes: 1, retransmissions: 0, p50: undefined, p99: undefined }];
  const text = textOf(reportContent({ timeline: { length: 1e7, periods } }));
  expect(text).toContain('There are no requests.');
  expect(text).toContain('No exchange is complete: there are no latencies.');
  expect(text).not.toMatch(/Requests:|Latency where/);
});

it('draws the probes of kubelet only where they fail, or where there is nothing else', () => {
  const drawn = (...callers: CallerStats[]) => {
    const { summary } = reportContent();
    const pieces = parsed(page(reportContent({ summary: { ...summary, callers } })));
    return pieces.filter(({ attributes }) => /^edge/.test(attributes.get('class') ?? '')).length;
  };
  const probe = { ...caller('kubelet', 'web.shop'), failed: 0 };
  const other = { ...caller('shop/client', 'web.shop'), failed: 0 };
  expect(drawn(probe, other)).toBe(1);
  expect(drawn({ ...probe, failed: 1 }, other)).toBe(2);
  expect(drawn(probe)).toBe(1);
});

it('names the file in a next step that reads it', () => {
  const findings = reportContent().findings.map((finding) => ({ ...finding, next: 'ksnoop trace FILE' }));
  expect(textOf(reportContent({ findings, paths: ['b.pcapng'] }))).toContain('ksnoop trace b.pcapng');
});

it('fits a map of five columns into 1248 px, names and texts in lines, and says where its numbers are', () => {
  const callers = [
    ...['catalog.bookstore', 'checkout.bookstore'].map((service) => caller('storefront.bookstore', service)),
    caller('bookstore/shoppers-of-a-deployment-with-a-long-name', 'storefront.bookstore'),
    caller('catalog.bookstore', 'pricing.bookstore'),
    caller('pricing.bookstore', 'ratings.bookstore'),
  ];
  const text = page(reportContent({ summary: { ...reportContent().summary, callers } }));
  const pieces = parsed(text);
  const region = pieces.findIndex(({ attributes }) => attributes.get('class') === 'scroll map');
  const map = pieces.slice(region).find(({ name }) => name === 'svg');
  expect(Number(map?.attributes.get('width'))).toBeLessThanOrEqual(1248);
  // On paper the parts together have the whole width.
  const parts = pieces.filter(({ attributes }) => attributes.get('class') === 'paper');
  const widths = parts.map(({ attributes }) => Number(attributes.get('width')));
  expect(widths.reduce((sum, width) => sum + width, 0)).toBe(Number(map?.attributes.get('width')));
  expect(widths.length).toBeGreaterThan(1);
  for (const width of widths) expect(width).toBeLessThanOrEqual(760);
  expect(text).toContain('has all numbers');
});
