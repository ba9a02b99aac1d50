import { describe, expect, test } from 'vitest';
import { HEAD, Head, headEnd } from '../../../../src/analyze/protocols/http1/head.ts';
import { startLineLikeness } from '../../../../src/analyze/protocols/http1/start-line.ts';
import { Random } from '../../../support/random.ts';

/** A header field as it is sent, and its value. */
interface Field {
  readonly name: string;
  readonly value: string;
  readonly line: string;
}

function some<T>(random: Random, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}

/** Upper and lower case as it comes. */
const anyCase = (random: Random, text: string) =>
  [...text].map((letter) => (random.below(2) === 0 ? letter.toUpperCase() : letter)).join('');

const VALUES: Readonly<Record<string, readonly string[]>> = {
  'content-length': ['0', '5', '1234567890', '9007199254740991', '9007199254740992', 'x', '', '12a'],
  'content-type': ['text/plain', 'application/json; charset=utf-8'],
  'content-lengths': ['7'],
  'transfer-encoding': ['chunked', 'gzip, Chunked', 'chunked, gzip', 'identity', ''],
  'transfer-encodings': ['chunked'],
  expect: ['100-continue', '100-Continue', '200-ok'],
  host: ['shop', 'shop:8080'],
  upgrade: ['websocket', 'H2C'],
  'user-agent': ['kube-probe/1.34', 'kube-prob', 'Kube-probe/1', 'curl/8'],
  'x-request-id': ['abc-1'],
  'x-other': ['a b', ''],
  te: ['trailers'],
};
const NAMES = Object.keys(VALUES);

function madeField(random: Random): Field {
  const name = some(random, NAMES);
  const value = some(random, VALUES[name] ?? []);
  const before = some(random, ['', ' ', '\t', '  \t']);
  return { name, value, line: `${anyCase(random, name)}:${before}${value}${some(random, ['\r\n', ' \r\n', '\n'])}` };
}

/** What RFC 9110 and 9112 state for these fields, by their values alone. */
function stated(fields: readonly Field[], detail: boolean) {
  const last = (name: string) => fields.findLast((field) => field.name === name)?.value;
  const natural = (text: string) => {
    const digits = /^\d+/.exec(text)?.[0];
    return digits === undefined || Number(digits) > Number.MAX_SAFE_INTEGER ? -1 : Number(digits);
  };
  const length = last('content-length');
  const coding = fields.findLast(({ name, value }) => name === 'transfer-encoding' && value !== '')?.value;
  const all: Record<string, string> = {};
  for (const { name, value } of fields) all[name] = all[name] === undefined ? value : `${all[name]}, ${value}`;
  return {
    contentLength: length === undefined ? -1 : natural(length),
    chunked: /chunked$/i.test(coding ?? ''),
    expectsContinue: last('expect')?.toLowerCase() === '100-continue',
    upgrade: (last('upgrade') ?? '').toLowerCase(),
    probe: (last('user-agent') ?? '').startsWith('kube-probe/'),
    contentType: detail ? (last('content-type') ?? '') : '',
    requestId: detail ? '' : (last('x-request-id') ?? ''),
    host: detail ? (fields.find(({ name, value }) => name === 'host' && value !== '')?.value ?? '') : '',
    fields: detail ? all : undefined,
    text: '',
  };
}

const head = new Head();
/** Between other bytes, so that what lies behind is not read. */
function read(text: string, detail: boolean, end = text.length, cut = false): number {
  const bytes = Buffer.from(`ab${text.slice(0, end)}\r\n\r\nHost: other\r\n\r\n`, 'latin1');
  const stop = head.read(bytes, 2, 2 + end, detail, true, cut);
  return stop < 0 ? stop : stop - 2;
}

test('heads with fields in any case, with any blanks: what they state is read; every beginning needs more', () => {
  for (let seed = 1; seed <= 120; seed += 1) {
    const random = new Random(seed);
    const detail = seed % 2 === 0;
    const minor = random.below(2);
    const isRequest = random.below(2) === 0;
    const method = some(random, ['GET', 'POST', 'M-SEARCH', 'BAN', 'BREW', 'X_LONG-ONE']);
    const target = some(random, ['/', '/a b?c=d', method === 'BREW' || method === 'X_LONG-ONE' ? '/x' : '*', '/cart']);
    const status = 100 + random.below(500);
    const reason = some(random, ['', 'OK', 'Not Found']);
    const line = isRequest
      ? `${method} ${target} HTTP/1.${minor}`
      : `HTTP/1.${minor} ${status}${reason === '' ? '' : ` ${reason}`}`;
    const fields = Array.from({ length: random.below(6) }, () => madeField(random));
    const text = `${line}${some(random, ['\r\n', '\n'])}${fields.map((field) => field.line).join('')}${some(random, ['\r\n', '\n'])}`;
    expect(read(text, detail), `seed ${seed}`).toBe(text.length);
    expect(head, `seed ${seed}: ${text}`).toMatchObject({
      isRequest,
      version: `1.${minor}`,
      cutLine: false,
      ...(isRequest ? { method, target } : { status, reason: detail ? reason : '' }),
      ...stated(fields, detail),
    });
    for (let end = 0; end < text.length; end += 1) expect(read(text, detail, end)).toBe(HEAD.more);
    const bytes = Buffer.from(`${text}\n\n`, 'latin1');
    expect(headEnd(bytes, 0, text.length)).toBe(text.length);
    expect(headEnd(bytes, 0, text.length - 1)).toBe(-1);
    // Cut: what is there is read.
    const end = line.length + 2 + random.below(text.length - line.length - 1);
    expect(read(text, detail, end, true)).toBe(Math.min(end, text.length));
    const there = text.slice(0, end).split('\n').length - 2;
    expect(head, `seed ${seed}, ${end} bytes`).toMatchObject(stated(fields.slice(0, Math.max(0, there)), detail));
  }
});

test('a line that begins with a blank continues the field before it', () => {
  const stop =
    'GET / HTTP/1.1\r\nX-A: 1\r\n\t2\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length:\r\n\t12\r\nX-B: 3\r\n 13\r\n\r\n';
  for (const detail of [true, false]) {
    expect(read(stop, detail)).toBe(stop.length);
    expect(head).toMatchObject({ chunked: true, contentLength: 12 });
  }
  read(stop, true);
  expect(head.fields).toEqual({
    'x-a': '1 2',
    'transfer-encoding': ' chunked',
    'content-length': ' 12',
    'x-b': '3 13',
  });
  const first = 'GET / HTTP/1.1\r\n chunked\r\nContent-Length: 3\r\n 4\r\n\r\n';
  read(first, true);
  expect(head).toMatchObject({ contentLength: 3, chunked: false, fields: { 'content-length': '3 4' } });
  read('GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nX: 1\r\n chunked\r\n\r\n', false);
  expect(head.chunked).toBe(false);
});

test('100 fields are kept, 1,024 bytes of a text; those that framing needs are read all the same', () => {
  const many = Array.from({ length: 105 }, (_, index) => `a${index}: ${index}\r\n`).join('');
  read(`GET / HTTP/1.1\r\n${many}Content-Length: 9\r\n\r\n`, true);
  expect([Object.keys(head.fields ?? {}).length, head.fields?.a99, head.contentLength]).toEqual([100, '99', 9]);
  const long = 'y'.repeat(1100);
  read(`GET /${long} HTTP/1.1\r\n${'n'.repeat(1100)}: 1\r\nHost: ${long}\r\nA: 1\r\nA: ${long}\r\n\r\n`, true);
  expect(head.target).toBe(`/${'y'.repeat(1023)}`);
  expect(head.host).toBe('y'.repeat(1024));
  expect(head.fields).toEqual({ ['n'.repeat(1024)]: '1', host: 'y'.repeat(1024), a: `1, ${'y'.repeat(1021)}` });
  read(`HTTP/1.1 200 ${long}\r\n\r\n`, true);
  expect(head.reason).toBe('y'.repeat(1024));
  read('GET / HTTP/1.1\r\n__proto__: 1\r\nno colon\r\n__proto__: 2\r\n\r\n', true);
  expect(Object.entries(head.fields ?? {})).toEqual([['__proto__', '1, 2']]);
  // Secrets are masked unless they are asked for.
  const bytes = Buffer.from('GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n');
  head.read(bytes, 0, bytes.length, true, false, false);
  expect(head.fields?.authorization).not.toContain('abc');
  expect(head.fields?.authorization).toBeDefined();
});

test('a head is kept to be read late up to 2,048 bytes, unless it decides at once how the connection goes on', () => {
  const isKept = (text: string) => {
    const bytes = Buffer.from(`ab${text}cd`);
    read(text, false);
    const kept = head.keep(bytes, 2, 2 + text.length);
    expect(head.text).toBe(kept ? text : '');
    return kept;
  };
  const padded = (length: number) => `GET / HTTP/1.1\r\nX: ${'x'.repeat(length - 23)}\r\n\r\n`;
  expect([2047, 2048, 2049].map((length) => isKept(padded(length)))).toEqual([true, true, false]);
  expect(isKept('GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n')).toBe(false);
  expect([399, 400].map((status) => isKept(`HTTP/1.1 ${status} A\r\n\r\n`))).toEqual([true, false]);
  // The status of the message before counts for nothing.
  expect(isKept('GET / HTTP/1.1\r\n\r\n')).toBe(true);
});

describe('start lines', () => {
  test.each([
    ['GET /old\r\n', 10, { version: '0.9', target: '/old' }],
    ['GET /old \n', 10, { version: '0.9', target: '/old' }],
    ['GET /a HTTP/1\r\n\r\n', 17, { version: '', target: '/a' }],
    ['GET /a HTTP/2.0\r\n\r\n', 19, { version: '', target: '/a' }],
    ['GET /a HTT\r\n\r\n', 14, { version: '', target: '/a' }],
    ['HTTP/1.1  204 No\r\n\r\n', 20, { status: 204, reason: 'No' }],
    ['HTTP/1.9 200\r\n\r\n', 16, { status: 200, version: '1.1', reason: '' }],
    ['HTTP/1.1 2000\r\n\r\n', 17, { status: 200 }],
    ['POST /old\r\n\r\n', HEAD.none, {}],
    ['GET old\r\n\r\n', HEAD.none, {}],
    ['GET /o d\r\n\r\n', HEAD.none, {}],
    ['GET / XTTP/1.1\r\n\r\n', HEAD.none, {}],
    ['HTTP/1.1 20\r\n\r\n', HEAD.none, {}],
    ['HTTP/1.1 2x0\r\n\r\n', HEAD.none, {}],
    ['HTTP/2.1 200\r\n\r\n', HEAD.none, {}],
    ['HTTP/1.\r\n\r\n', HEAD.none, {}],
    ['get / HTTP/1.1\r\n\r\n', HEAD.none, {}],
    ['ABC / HTTP/1.1\r\n\r\n', HEAD.none, {}],
    ['ABCD /x HTTP/1.1\r\n\r\n', 20, { method: 'ABCD' }],
    ['ABCD x HTTP/1.1\r\n\r\n', HEAD.none, {}],
    [`${'A'.repeat(24)} / HTTP/1.1\r\n\r\n`, 39, { method: 'A'.repeat(24) }],
    [`${'A'.repeat(25)} / HTTP/1.1\r\n\r\n`, HEAD.none, {}],
  ])('%j', (text, stop, expected) => {
    expect(read(text, true)).toBe(stop);
    expect(head).toMatchObject(expected);
  });

  test('one that was cut: its target is a beginning, unless its version has begun', () => {
    expect(read('GET /cart/it', true, 12, true)).toBe(12);
    expect([head.target, head.cutLine]).toEqual(['/cart/it…', true]);
    expect(read('GET /cart HTT', true, 13, true)).toBe(13);
    expect([head.target, head.cutLine]).toEqual(['/cart', false]);
    expect(read('GET /cart HTTP/1.0', true, 18, true)).toBe(18);
    expect([head.target, head.version, head.cutLine]).toEqual(['/cart', '1.0', false]);
  });
});

describe('what a message begins with', () => {
  const like = (text: string) => {
    const bytes = Buffer.from(`x${text}`, 'latin1');
    return startLineLikeness(bytes, 1, bytes.length);
  };
  // RFC 9110, 5789, 4918, 3253, 3744, 4791, 5323, 2068; UPnP; Varnish and Squid.
  const METHODS =
    'GET POST HEAD PUT DELETE OPTIONS PATCH CONNECT TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT SEARCH MKCALENDAR NOTIFY SUBSCRIBE UNSUBSCRIBE M-SEARCH PURGE LINK UNLINK ACL BAN';

  test.each(METHODS.split(' '))('%s', (method) => {
    for (let end = 1; end <= method.length + 1; end += 1) expect(like(`${method} `.slice(0, end))).toBe('more');
    expect(like(`${method} /`)).toBe('client');
    expect(like(`${method} a`)).toBe('more');
    expect(like(`${method} a HTTP/1.1\r\n`)).toBe('client');
    expect(like(`${method} a SIP/2.0\r\n`)).toBe('no');
    expect(like(`${method} http://`)).toBe('client');
    expect(like(`${method} http:/`)).toBe('more');
    expect([like(`${method}  /`), like(`${method} \x7f`)]).toEqual(['no', 'no']);
    expect(like(method.toLowerCase())).toBe('no');
  });

  test.each([
    ['', 'more'],
    ['\r\n\r\n', 'more'],
    ['\r\n\r\nGET /', 'client'],
    ['\n\n\n\nGET /', 'client'],
    ['\n\n\n\n\nGET /', 'no'],
    ['HTTP/1.1 ', 'server'],
    ['HTTP/1.1', 'more'],
    ['HTTP/1.', 'more'],
    ['H', 'more'],
    ['HTTP/2', 'no'],
    ['HX', 'no'],
    ['BREW /', 'more'],
    ['BREW /pot HTTP/1.1\r\n', 'client'],
    ['BREW /pot\r\n', 'no'],
    ['BREW pot', 'no'],
    ['GET /old\r\n', 'client'],
    ['GET /old\r\n\r\n', 'client'],
    ['GET /old\r\nmore', 'no'],
    ['POST /old\r\n', 'no'],
    ['GET /a HTTP/1.1 \r\n', 'client'],
    ['\x16\x03\x01', 'no'],
  ])('%j: %s', (text, likeness) => {
    expect(like(text)).toBe(likeness);
  });
});
