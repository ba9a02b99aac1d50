import { describe, expect, it } from 'vitest';
import type { FieldTable } from '../../../src/analyze/protocols/protocol.ts';
import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../../../src/analyze/record/fields.ts';
import { compileWhere } from '../../../src/analyze/where/where.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { CLIENT, exchange, madeAnalysis, SERVER, tcpFacts } from '../made-events.ts';

const FIELDS: FieldTable = {
  ...COMMON_FIELDS,
  ...EVENT_FIELDS,
  ...FLOW_FIELDS,
  ...PACKET_FIELDS,
  'http.status': { type: 'int', about: '' },
  'http.path': { type: 'string', about: '' },
  'http.headers': { type: 'map', about: '' },
  'dns.rcode': { type: 'string', about: '' },
  'dns.answers': { type: 'list', about: '' },
  'tls.notAfter': { type: 'timestamp', about: '' },
  'x.list': { type: 'list', about: '' },
  'x.constructor': { type: 'map', about: '' },
};

const { recorder, names, flow } = madeAnalysis();
names.addRecord(CLIENT, ['shop/client-1']);
names.addRecord(SERVER, ['web.shop']);

const http = recorder.event(
  exchange({
    status: '503',
    failed: true,
    responseEnd: 250_000_000,
    fields: { http: { status: 503, path: '/cart?a="b"', headers: { 'x-a': 'b', n: 5 } } },
  }),
  flow(),
);
const dns = recorder.event(
  exchange({
    protocol: 'dns',
    fields: { dns: { rcode: 'NXDOMAIN', answers: ['10.1.2.3', 7] }, tls: { notAfter: '2027-01-01T00:00:00Z' } },
  }),
  flow(),
);
const tcp = recorder.flow(flow({ tcp: tcpFacts }).facts());

const where = (text: string) => compileWhere(text, FIELDS);

describe('an expression holds for', () => {
  it.each([
    ['http.status >= 500', true, false],
    ['http.status >= 500 && dst.service == "web"', true, false],
    ['src.pod == "client-1" && src.namespace == "shop"', true, true],
    ['latency > duration("200ms")', true, false],
    ['latency >= duration("250ms")', true, false],
    ['latency > duration("250ms")', false, false],
    ['http.status == 503.0 && http.status < 503.5', true, false],
    ['http.status in [503, 504]', true, false],
    ['http.status / 100 == 5 && http.status % 100 == 3 && -http.status < 0', true, false],
    ['(http.status) >= 500 && (http).status == 503 && http["status"] == 503', true, false],
    ['http.path == "/cart?a=\\"b\\"" && ("/" + "cart") + "?a=\\"b\\"" == http.path', true, false],
    ['http.path.startsWith("/c") && http.path.contains("art") && http.path.endsWith("\\"")', true, false],
    ['http.path.matches("(?i)^/CART") && size(http.path) > 3', true, false],
    ['http.headers["x-a"] == "b" && http.headers.n == 5', true, false],
    ['has(http.headers.n) && !has(http.headers.none)', true, false],
    ['"10.1.2.3" in dns.answers', false, true],
    ['dns.answers.exists(v, v == 7)', false, true],
    ['dns.answers.filter(http, http != 7).size() == 1', false, true],
    ['failed', true, false],
    ['v == 1', true, true],
    ['failed ? http.status == 503 : dns.rcode == "NXDOMAIN"', true, true],
    ['tls.notAfter > timestamp("2026-12-31T23:59:59.9Z")', false, true],
  ])('%s', (text, ofHttp, ofDns) => {
    expect([where(text).matches(http), where(text).matches(dns)]).toEqual([ofHttp, ofDns]);
  });

  it('moments to the nanosecond, in any zone', () => {
    const holds = (text: string) => where(text).matches(http);
    expect(holds('time == timestamp("2026-07-02T14:03:07.123456789Z")')).toBe(true);
    expect(holds('time == timestamp("2026-07-02T16:03:07.123456789+02:00")')).toBe(true);
    expect(holds('time > timestamp("2026-07-02T14:03:07.123456788Z")')).toBe(true);
    expect(holds('timestamp("2026-07-02T14:03:07.123456790Z") <= time')).toBe(false);
    expect(holds('time - timestamp("2026-07-02T14:03:06Z") < duration("2s")')).toBe(true);
    expect(holds('time.getHours() == 14 && time + duration("1h") > timestamp("2026-07-02T15:00:00Z")')).toBe(true);
  });

  it('names of macros before fields of the same name', () => {
    const list = where('x.list.exists(http, http.status == 7)');
    expect(list.matches({ x: { list: [{ status: 5 }, { status: 7 }] } })).toBe(true);
    expect(list.matches({ x: { list: [{ status: 5 }] }, http: { status: 7 } })).toBe(false);
  });

  it('flows', () => {
    const holds = (text: string) => where(text).matches(tcp);
    expect(holds('kind == "flow" && tcp.state == "closed" && client.packets == 3')).toBe(true);
    expect(holds('tcp.handshakeRtt < duration("1ms") && tcp.rtt.server.maximum == duration("300us")')).toBe(true);
    expect(holds('has(tcp.rtt) && tcp.mss[0] == 1460')).toBe(true);
  });
});

describe('a field that the record lacks', () => {
  it.each([
    ['dns.rcode == "NXDOMAIN"', false],
    ['dns.rcode != "NXDOMAIN"', false],
    ['!(dns.rcode == "NXDOMAIN")', true],
    ['!(dns.rcode != "NXDOMAIN")', true],
    ['has(dns.rcode)', false],
    ['!has(dns.rcode)', true],
    ['dns.rcode == "NXDOMAIN" || http.status == 503', true],
    ['http.status == 503 && !(dns.rcode == "NXDOMAIN")', true],
    ['!dns.answers.exists(a, a == "x")', true],
    ['(has(dns.rcode) ? dns.rcode : "none") == "none"', true],
    ['(has(http.status) && http.status == 503) == true', true],
    ['http.headers["none"] == "b"', false],
    ['!(http.headers["none"] == "b")', true],
    ['http.status / 0 == 1', false],
    ['tcp.rtt.client.minimum < duration("1s")', false],
    ['has(tcp.rtt)', false],
    ['latency == ttfb', false],
  ])('makes the test false, and what is around it goes by that: %s', (text, expected) => {
    expect(where(text).matches(http)).toBe(expected);
  });

  it('is also one that is of another type, or inherited', () => {
    expect(where('http.status == 503').matches({ http: { status: '503' } })).toBe(false);
    expect(where('http.path == "x"').matches({ http: 'x' })).toBe(false);
    expect(where('has(http.headers.toString)').matches({ http: { headers: {} } })).toBe(false);
    expect(where('has(http.headers)').matches({})).toBe(false);
    expect(where('has(x.constructor)').matches({ x: {} })).toBe(false);
    expect(where('latency > duration("1s")').matches({ latency: Number.NaN })).toBe(false);
  });
});

describe('a mistake comes with what was most likely meant:', () => {
  it.each([
    ['latency > 200ms', 'latency > duration("200ms")'],
    ['latency > "1.5s" && failed', 'latency > duration("1.5s") && failed'],
    ['http.status = 503', 'http.status == 503'],
    ['status >= 500', 'http.status >= 500'],
    ['status = 404', 'status == "404"'],
    ['http.status <> 503', 'http.status != 503'],
    ['http.status == "503"', 'http.status == 503'],
    ['dst.service == web', 'dst.service == "web"'],
    ['src.ip == 10.0.0.1', 'src.ip == "10.0.0.1"'],
    ['failed and not (http.status == 503)', 'failed && !(http.status == 503)'],
    ['dst.service == "a and b" or failed', 'dst.service == "a and b" || failed'],
    ['failed | http.status == 503', 'failed || http.status == 503'],
    ['time > "2026-07-02T14:03:07Z"', 'time > timestamp("2026-07-02T14:03:07Z")'],
  ])('%s', (text, meant) => {
    expect(thrownBy(text).hint).toBe(`Write: ${meant}`);
    expect(() => where(meant)).not.toThrow();
  });

  it('or without it, where the correction is not valid either', () => {
    expect(thrownBy('failed = latency > 5').hint ?? '').not.toContain('Write:');
    expect(thrownBy(`latency > 200ms && ${'failed && '.repeat(100)}failed`).hint).toBeUndefined();
  });
});

describe('an expression that nothing matches', () => {
  const dns = { protocol: 'dns', dst: { service: 'kube-dns' } };
  const web = { protocol: 'http', dst: { service: 'web' } };
  const noteAfter = (text: string, records: readonly object[]) => {
    const matching = where(text);
    for (const record of records) matching.matches(record);
    return matching.note();
  };

  it.each([
    ['dst.service == "web.shop"', '--where: 0 of 2 records matched; dst.service here: kube-dns, web'],
    ['protocol == "HTTP" && failed', '--where: 0 of 2 records matched; protocol here: dns, http'],
    ['dst.service in ["a", "b"]', '--where: 0 of 2 records matched; dst.service here: kube-dns, web'],
    ['dst.pod == "web-1"', '--where: 0 of 2 records matched; no record has dst.pod'],
    // The value is there: it is the other test that fails.
    ['dst.service == "web" && failed', '--where: 0 of 2 records matched'],
    ['dst.service == "web"', undefined],
  ])('%s', (text, note) => {
    expect(noteAfter(text, [dns, web])).toBe(note);
  });

  it('says nothing where there was nothing, and names a few of many values', () => {
    expect(noteAfter('failed', [])).toBeUndefined();
    const many = Array.from({ length: 1000 }, (_, n) => ({ dst: { service: `${'s'.repeat(500)}${n}` } }));
    expect(noteAfter('dst.service == "x"', many)?.length).toBeLessThan(1000);
    const names = Array.from({ length: 20 }, (_, n) => ({ dst: { service: `s${n}` } }));
    expect(noteAfter('dst.service == "x"', names)).toMatch(/s0, .*, …$/);
  });
});

describe('a mistake is an error that says where it is:', () => {
  it.each([
    [
      'http.statu >= 1',
      'there is no field "http.statu" (at character 1, "http.statu >= 1")',
      'Did you mean http.status or http.path? `ksnoop help fields` lists the fields.',
    ],
    [
      'failed && htp.path == "x"',
      'there is no field "htp" (at character 11, "htp.path == "x"")',
      '`ksnoop help fields` lists the fields.',
    ],
    [
      'rcode == "x"',
      'there is no field "rcode" (at character 1, "rcode == "x"")',
      'Did you mean dns.rcode? `ksnoop help fields` lists the fields.',
    ],
    [
      '!(latenci > duration("1s"))',
      'there is no field "latenci" (at character 3, "latenci > duration("1s"))")',
      'Did you mean latency? `ksnoop help fields` lists the fields.',
    ],
    [
      'http.status == "x"',
      'int == string is not defined (at character 1, "http.status == "x"")',
      'http.status is a number; compare it with 200, for example.',
    ],
    [
      'failed && latency > 5',
      'Duration > int is not defined (at character 11, "latency > 5")',
      'latency is a duration; compare it with duration("200ms"), for example.',
    ],
    ['src == 1', 'object == int is not defined (at character 1, "src == 1")', undefined],
    ['1 +', 'Unexpected token: EOF (at its end)', undefined],
    ['', 'Unexpected token: EOF (at its end)', undefined],
    ['http.path', 'the expression must be true or false, and is string (at character 1, "http.path")', undefined],
    ['latency > duration("soon")', 'Invalid duration string: oon (at character 11, "duration("soon")")', undefined],
    [
      'time > timestamp("x")',
      '"x" is no timestamp such as 2026-07-02T14:03:07Z (at character 8, "timestamp("x")")',
      undefined,
    ],
    [
      'http.path.matches(http.path)',
      'matches() takes a regular expression in quotes (at character 19, "http.path)")',
      undefined,
    ],
  ])('%s', (text, message, hint) => {
    const thrown = thrownBy(text);
    expect(thrown).toMatchObject({ code: 'USAGE', exit: 2, message: `--where: ${message}.`, hint });
  });

  it('a regular expression that RE2 does not take', () => {
    for (const bad of ['(a', '(a)\\\\1', 'a(?=b)', '((a{1000}){1000}){1000}', 'a'.repeat(2000)]) {
      expect(thrownBy(`http.path.matches("${bad}")`).message).toMatch(
        /the regular expression is not valid: .*at character 19/,
      );
    }
  });

  it('an expression without end', () => {
    expect(thrownBy(`${'('.repeat(10_000)}failed${')'.repeat(10_000)}`).code).toBe('USAGE');
    expect(thrownBy(Array(10_000).fill('failed').join('||')).code).toBe('USAGE');
  });
});

it('takes a text that would make other engines try for years', () => {
  const matching = where('http.path.matches("^(a+)+$")');
  // They would try for longer than any test may take.
  expect(matching.matches({ http: { path: `${'a'.repeat(1000)}b` } })).toBe(false);
});

function thrownBy(text: string): KsnoopError {
  try {
    where(text);
  } catch (thrown) {
    if (thrown instanceof KsnoopError) return thrown;
    throw thrown;
  }
  throw new Error(`${text} was taken`);
}
