import { describe, expect, it } from 'vitest';
import { maskEcho, masked, maskMonitored } from '../../../src/analyze/protocols/redis/commands.ts';
import { maskQuoted, maskStatement } from '../../../src/analyze/protocols/statement-secrets.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { maskCounted, maskEvent } from '../../../src/analyze/record/mask-event.ts';
import { maskField } from '../../../src/analyze/record/secret-headers.ts';
import { isSecretName } from '../../../src/analyze/record/secret-names.ts';
import { maskShapes } from '../../../src/analyze/record/secret-shapes.ts';
import { maskTarget, maskText } from '../../../src/analyze/record/secrets.ts';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('what is no secret stays', () => {
  it.each([
    '/users/12345678901234567890/orders',
    '/users/3f2b8c1e-9d4a-4e6b-8f1a-2c3d4e5f6a7b/profile',
    '/orders/507f1f77bcf86cd799439011',
    '/api/v1/namespaces/kube-system/pods/coredns-7d9c5b8f6d-x2x4z/log?container=coredns&tailLines=100',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?resourceVersionMatch=NotOlderThan',
    '/assets/index.html?version=1.2.3&lang=en&sort=name&state=open',
    '/v2/library/nginx/blobs/sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    '/search?q=how+to+write+a+token+parser',
    'https://shop.example.com:8443/checkout/GetCustomerInvoiceDetails',
    '/ulid/01ARZ3NDEKTSV4RRFFQ69G5FAV',
    'connection refused by 10.0.0.1:5432 after 3 attempts',
    'duplicate key value: Key (id)=(1) {"monkey":"a","key":1,"keys":"b"}',
  ])('%s', (text) => {
    expect(maskTarget(text)).toBe(text);
    expect(maskText(text)).toBe(text);
  });

  it.each([
    ['traceparent', TRACE],
    ['uber-trace-id', '4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1'],
    ['x-request-id', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['etag', '"9f86d081884c7d659a2feaa0c55ad015"'],
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0'],
    ['host', 'a1b2c3d4e5f6a7b8c9d0.us-east-1.elb.amazonaws.com'],
    ['location', 'https://shop/checkout?step=2'],
    ['content-type', 'application/json; charset=utf-8'],
    ['x-ratelimit-remaining', '59'],
  ])('the field %s', (name, value) => {
    expect(maskField(name, value)).toBe(value);
  });

  it('a statement without one', () => {
    const sql = 'SELECT id, name FROM stock WHERE warehouse_identifier = 42 AND kind IN (1, 2) ORDER BY token';
    expect(maskStatement(sql)).toBe(sql);
  });
});

describe('what looks like a secret is masked', () => {
  it.each([
    ['a JSON Web Token', 'x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc y', 'x *** y'],
    ['base64', 'q=dGhpcyBpcyBhIHNlY3JldCBrZXkgMTIz', 'q=***'],
    ['base64 with slashes', 'k Zm9v/mFy1Q+8s/dVb3R5aW9wYXNk/ZmdoamtsenhjdmJubTEy k', 'k *** k'],
    ['hexadecimal', '/reset/9f86d081884c7d659a2feaa0c55ad015', '/reset/***'],
    ['a key of AWS', 'AKIAIOSFODNN7EXAMPLE', '***'],
    ['a token of GitHub', '/x/ghp_16C7e42F292c6912E7710c838347Ae178B4a/y', '/x/***/y'],
    ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc', '***'],
    ['a token in lower case', '/invite/k3j2h5g6d7f8s9a0q1w2e3r4', '/invite/***'],
  ])('%s', (_, text, expected) => {
    expect(maskShapes(text)).toBe(expected);
  });
});

describe('a value under the name of a secret is masked in every notation', () => {
  it.each([
    'session code_verifier device_code oauth_verifier oobCode verification_code csrf _csrf wresult AWSAccessKeyId bearer',
    'authorization cvv cvc password_confirmation nonce passwordHash user[pass] auth[pw] pw otp pin',
  ])('as a parameter: %s', (names) => {
    for (const name of names.split(' ')) expect(maskTarget(`/a?${name}=hush&x=1`)).toBe(`/a?${name}=***&x=1`);
    const plain =
      '/a?state=open&state=IN_PROGRESS&filter[state]=Closed&state=3&state=&estate=a1b2&sort=pinned&passage=5';
    expect(maskTarget(`${plain}&design=x`)).toBe(`${plain}&design=x`);
    expect(maskTarget('/cb?state=af0ifjsldkj&a=b#state=x-9')).toBe('/cb?state=***&a=b#state=***');
  });

  it.each([
    ['{"secret":{"a":{"b":"}]"},"c":"hush"},"d":1}', '{"secret":***,"d":1}'],
    ['{"tokens": [["hush"],["hush"]], "d": 1}', '{"tokens": ***, "d": 1}'],
    [
      '{"m":"{\\"secret\\":{\\"a\\":{},\\"b\\":\\"}\\\\\\"\\",\\"c\\":\\"hush\\"}}","d":1}',
      '{"m":"{\\"secret\\":***}","d":1}',
    ],
    ['{"secret":{"a":"\\\\"},"d":{"secret":{"b":["hush', '{"secret":***,"d":{"secret":***'],
  ])('with all that is nested in it: %s', (text, expected) => {
    expect(maskText(text)).toBe(expected);
  });

  it.each([
    '{"pass":"hush"}',
    '{"pw":"hush"}',
    '{"otp":"hush"}',
    '{"id":1,"key": "hush"}',
    '{\\"nonce\\":\\"hush\\",\\"a\\":1}',
    '%22key%22%3A%22hush%22%2C%22a%22',
    '{"cookie":"a=hush"}',
    '{"password":["hush","hush"]}',
    '{"password":{"value":"hush"}}',
    '<password>hush</password>',
    '<ns:Password xsi:type="string">hush</ns:Password>',
    'psql --password hush',
    'Authorization: ApiKey hush',
    'set-cookie: sid=hush; Path=/',
    'Cookie: sid=hush; b=hush',
    '%22password%22%3A%22hush%22',
    'password := hush',
    'DB_PASS=hush',
    'authorization%3A%20Bearer%20hush',
    `password "hush" is wrong`,
    `password 'hush' is wrong`,
  ])('in a text: %s', (text) => {
    expect(maskText(text)).toContain('***');
    expect(maskText(text)).not.toContain('hush');
  });

  it.each([
    "INSERT INTO u (name, password) SELECT 'ann', 'hush'",
    "SELECT digest('hush', 'sha256')",
    "SELECT SHA2('hush', 256)",
    "SELECT MD5('hush')",
    "UPDATE u SET password = CASE WHEN 1 = 1 THEN 'hush' ELSE 'hush' END",
    "UPDATE u SET password = 'a' 'hush'",
    "UPDATE u SET password = 'a' || 'hush'",
    "SELECT 1 FROM u WHERE password BETWEEN 'a' AND 'hush'",
    "SELECT 1 FROM u WHERE lower(password) = 'hush'",
    "SELECT 1 FROM u WHERE (name, password) = ('a', 'hush')",
    "SELECT 1 FROM u WHERE password::text = 'hush'",
    "SELECT 'hush' AS password",
    "INSERT INTO u VALUES (1, 'hush', 'hush'), (2, 'hush', E'hush') ON CONFLICT (id) DO NOTHING",
    "insert u values('hush')",
    'REPLACE INTO `u` VALUE ("hush")',
    "INSERT INTO s.u SELECT 'hush', 'hush' FROM v",
    "WITH a AS (INSERT INTO u VALUES ('hush') RETURNING id) SELECT * FROM a",
    "WITH a AS (INSERT INTO u (name, password) VALUES ('ann', 'hush') RETURNING id) SELECT * FROM a",
    "MERGE INTO u USING v ON u.a = v.a WHEN NOT MATCHED THEN INSERT VALUES ('hush')",
  ])('in a statement: %s', (sql) => {
    expect(maskStatement(sql)).toContain('***');
    expect(maskStatement(sql)).not.toContain('hush');
  });

  it('in a statement, and no other value', () => {
    expect(maskStatement("INSERT INTO u (name, password, city) SELECT 'ann', 'hush', 'rome' FROM v")).toBe(
      "INSERT INTO u (name, password, city) SELECT 'ann', ***, 'rome' FROM v",
    );
    for (const sql of [
      "INSERT INTO u (name, city) VALUES ('ann', 'rome') ON DUPLICATE KEY UPDATE city = VALUES(city), name = 'eva'",
      "SELECT * FROM (VALUES ('rome', 1)) AS t",
      "SELECT REPLACE('rome', 'r', 'd'), insert ('abc', 1, 2, 'x') FROM t",
    ])
      expect(maskStatement(sql)).toBe(sql);
    expect(maskStatement("INSERT INTO u VALUES (1, 'ann', 2.5) ON CONFLICT (a) DO UPDATE SET city = 'rome'")).toBe(
      "INSERT INTO u VALUES (1, ***, 2.5) ON CONFLICT (a) DO UPDATE SET city = 'rome'",
    );
    expect(maskStatement("INSERT INTO u VALUES ('a'); SELECT 'rome'")).toBe(
      "INSERT INTO u VALUES (***); SELECT 'rome'",
    );
    expect(maskStatement("SELECT 'rome' AS city, 'hush' AS password FROM u WHERE a = 'b'")).toBe(
      "SELECT 'rome' AS city, *** AS password FROM u WHERE a = 'b'",
    );
    expect(maskStatement("UPDATE u SET password = CASE WHEN a THEN 'hush' END, city = 'rome' WHERE b = 'c'")).toBe(
      "UPDATE u SET password = CASE WHEN a THEN *** END, city = 'rome' WHERE b = 'c'",
    );
    expect(maskStatement("SELECT 1 FROM u WHERE password BETWEEN 'a' AND 'b' AND city = 'rome'")).toBe(
      "SELECT 1 FROM u WHERE password BETWEEN *** AND *** AND city = 'rome'",
    );
  });

  it.each([
    ['SET', ['token:1', 'hush']],
    ['PSETEX', ['otp:1', '1000', 'hush']],
    ['LPUSH', ['tokens', 'hush']],
    ['ZADD', ['tokens', '1', 'hush']],
    ['SETRANGE', ['token', '0', 'hush']],
    ['LINSERT', ['user:tokens', 'BEFORE', 'a', 'hush']],
  ])('in a command of Redis: %s %j', (command, args) => {
    const shown = masked(command, args).join(' ');
    expect(shown).toContain('***');
    expect(shown).not.toContain('hush');
  });

  it('and other values of Redis are shown', () => {
    expect(masked('LPUSH', ['orders', 'a'])).toEqual(['orders', 'a']);
    expect(masked('ZADD', ['tokens', '1', 'hush'])).toEqual(['tokens', '1', '***']);
  });
});

it('every text of an event passes through one place', () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc';
  const event = {
    kind: 'exchange',
    protocol: 'amqp',
    label: `publish ${token}`,
    status: `bad ${token}`,
    route: `r ${token}`,
    fields: {
      amqp: { any: token, list: ['a', token], deep: { er: [{ key: token }] }, requestHeaders: { 'x-b': token } },
    },
  } as unknown as Exchange;
  const shown = maskEvent(event);
  expect(JSON.stringify(shown)).not.toContain('eyJ');
  expect(shown.label).toBe('publish ***');
  const plain = { ...event, label: 'a', status: 'b', route: 'c', fields: { amqp: { queue: 'orders' } } };
  expect(maskEvent(plain)).toBe(plain);
  const counted = maskCounted(event) as Exchange;
  expect([counted.route, counted.status]).toEqual(['r ***', 'bad ***']);
  expect(maskCounted(plain)).toBe(plain);
  // What findings cite is masked in full.
  const cited = [
    { ...event, failed: true },
    { ...event, incomplete: 'reset' as const },
    { ...event, status: '431' },
    { ...event, kind: 'event' as const, code: 'X', from: undefined, route: '', status: '' },
  ];
  for (const one of cited) expect(JSON.stringify(maskCounted(one as unknown as Exchange))).not.toContain('eyJ');
});

/** Their worst inputs: what makes a pattern begin again at every place, 1 MB of each. */
const WORST = [
  'eyJaaaaaaa-',
  'a',
  'a-',
  '%',
  '%3a%2f%2f',
  '://',
  'a://%41',
  '&a',
  '&a=%25',
  '?',
  'token',
  'token ',
  'token=',
  'token="',
  'token=\\"',
  'token\\\\',
  "token='\\",
  'passcode:',
  'authorization',
  'authorization: ',
  'bearer ',
  'bearer  +%20',
  'basic aaaa',
  'variables:{',
  'variables ',
  'variables:{"\\',
  'AKIA',
  'sk-',
  'xoxb-',
  'aA1',
  'aA1/',
  '/',
  '=',
  'x=',
  '-----BEGIN PRIVATE KEY-----',
  '-----BEGIN ',
  'base64url.bearer.authorization.k8s.io.',
  '.',
  'sha256:',
  "'",
  '"',
  "'\\",
  '] "',
  ' ',
  '\n',
  '@',
  '$a',
  '$a$',
  '/*',
  '--',
  '_a',
  '_a ',
  "e'",
  '`',
  'password = ',
  "'x' = password ",
  'identified by ',
  '0x',
  '1.',
  '<a',
  '<token a',
  '<token>',
  '--a',
  '--token ',
  'cookie: ',
  'cookie: a',
  'token {',
  'token=[',
  'token "',
  '::',
  'case ',
  'a values ',
  'values (',
  'into a select ',
  'into a ',
  'insert values (',
  '"key":"',
  '"key":\\"',
  '%22key%22%3a',
  '%22key%22%3a%22',
  '?state=',
];

/** Those of patterns that look for a form, not for a name. */
const WORST_FORMS = [
  '<token v="',
  '<a b=c ',
  "<a b='",
  '<a ',
  'a="\\"',
  'Foo a, ',
  '\\u0022',
  '\\\\u0061:',

  '{"name":"',
  '{"name":"pin","value":',
  '{"value":"a","name":"pin"},',
  '"value":',
  '{"\\',
  '[',
  '- name: pin\n',
  '- ',
  '- a: ',
  'value: |\n ',
  '- name: pin\n  value: |\n   a\n',
  'kind: Secret\ndata:\n a: b\n',
  'kind: ',
  'data: {',
  'stringData:\n ',
  '{"apiVersion":"v1",',
  'login u password ',
  'login ',
  'user a ',
  'docker login ',
  'redis-cli -',
  ' -u ',
  ' -u a:',
  ':thin:a/',
  'a:',
  'a:b@tcp(',
  'AUTH PLAIN ',
  'AUTH PLAIN A',
  '$2b$',
  '$argon2id$',
  '-----BEGIN PRIVATE KEY-----\n-----END',
  'Private-Lines: 1\n',
  '<a name="pin" ',
  '<a value="',
  '<name>pin</name><value>',
  '<token><![CDATA[',
  'token/',
  '/a_token/1',
  'A=',
  'A_',
  'export A_KEY=\n',
  'USER a\nPASS ',
  '"session_',
  '"session_id":"',
  "('a_token', ",
  "value = 'a_token' ",
  "set_config('a_token', ",
];

describe('every pattern is linear in the text', () => {
  const SIZE = 1_000_000;
  const functions: Record<string, (text: string) => unknown> = {
    maskTarget,
    maskText,
    maskShapes,
    isSecretName,
    maskEcho,
    maskMonitored,
    maskStatement,
    maskField: (text) => [
      maskField('referer', text),
      maskField('x-a', text),
      maskField(text, 'x'),
      maskField('www-authenticate', text),
    ],
    maskQuoted: (text) => maskQuoted(text, `password = '${text.slice(0, 100)}'`),
    masked: (text) => [masked('EVAL', [text, '1']), masked('SET', [text, text]), masked('ACL', [text, text])],
  };
  it.each(['maskTarget', 'maskText', 'maskStatement', 'maskField'])('%s, of forms', { timeout: 600_000 }, (name) => {
    const run = functions[name] as (text: string) => unknown;
    for (const worst of WORST_FORMS) {
      const begun = process.cpuUsage();
      run(`${worst.repeat(SIZE / worst.length)}!`);
      const { user } = process.cpuUsage(begun);
      expect(user / 1e6, `${name} of ${JSON.stringify(worst)}`).toBeLessThan(20);
    }
  });

  it.each(Object.keys(functions))('%s', { timeout: 600_000 }, (name) => {
    const run = functions[name] as (text: string) => unknown;
    for (const worst of WORST) {
      const begun = process.cpuUsage();
      run(`${worst.repeat(SIZE / worst.length)}!`);
      const { user } = process.cpuUsage(begun);
      // Quadratic time would be minutes.
      expect(user / 1e6, `${name} of ${JSON.stringify(worst)}`).toBeLessThan(20);
    }
    // What lets a pattern begin may be at the other end of the text.
    for (const worst of WORST) {
      const begun = process.cpuUsage();
      for (const end of ['\\eyJ.', '"', '@']) {
        run(end + worst.repeat(SIZE / 10 / worst.length) + end);
      }
      const { user } = process.cpuUsage(begun);
      expect(user / 1e6, `${name} of ${JSON.stringify(worst)} with an end`).toBeLessThan(20);
    }
  });
});
