import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { compileWhere } from '../../../src/analyze/where/where.ts';
import { ANALYSIS_OUTPUTS } from '../../../src/run/analysis/index.ts';
import { plainSettings } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';

/** Bytes of the client (sent) and of the server in turn, on a connection to a port. */
interface Conversation {
  readonly port: number;
  readonly turns: readonly (readonly [client: string, server: string])[];
}

const http = (port: number, head: string, answer = '', tail = ''): Conversation => ({
  port,
  turns: [[`${head}\r\n\r\n`, `HTTP/1.1 200 OK\r\n${answer}Content-Length: 0\r\n\r\n${tail}`]],
});

/** The secrets are all the words that begin with `hush`. */
const HTTP = [
  'Authorization: Basic hush-a1',
  'authorization:Bearer hush-a2',
  'Authorization: Basic\r\n hush-a3:colon',
  'Proxy-Authorization: Digest username="u", response="hush-a4"',
  'Cookie: a=hush-a5; b=hush-a6',
  'X-Api-Key: hush-a7',
  'X-Vault-Token: hush-a8',
  'X-Amz-Security-Token: hush-a9',
  'PRIVATE-TOKEN: hush-b1',
  'X-Registry-Auth: hush-b2',
  'X-Forwarded-Access-Token: hush-b3',
  'apikey: hush-b4',
  'Referer: https://u:hush-b5@h/?access_token=hush-b6#id_token=hush-b7',
  'X-Original-URI: /cb?code=hush-b8',
  'Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.hush-b9, v4.channel.k8s.io',
  'X-Amz-Server-Side-Encryption-Customer-Key: hush-m1',
  'Ocp-Apim-Subscription-Key: hush-m2',
  'X-Functions-Key: hush-m3',
  'X-Amzn-Oidc-Data: hush-m4',
  'X-Amzn-Oidc-Accesstoken: hush-m5',
  'X-Amzn-Oidc-Identity: hush-m6',
  'X-Anything: Bearer hush-m7',
  'X-Upstream: Basic hush-m8',
  'User-Agent: Bearer hush-m9',
  'X-Tenant-Pin: hush-n1',
  'Referer: https://h/cb?next=https%3A%2F%2Fi%2F%3Faccess_token%3Dhush-n2',
  'X-Custom: 0123hush0123',
].map((field, index) => http(8000 + index, `GET /a HTTP/1.1\r\nHost: h\r\n${field}`));

/** Bodies of errors, of which the first line is shown. */
const ERRORS = [
  ['application/json', '{"password": "hush-t1", "api_key":"hush-t2"}'],
  ['text/plain', 'no access: token=hush-t3 for https://u:hush-t4@h/'],
  ['text/html', '<title>Authorization: Bearer hush-t5</title>'],
].map(([type = '', body = ''], index): Conversation => {
  const head = `HTTP/1.1 500 Error\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return { port: 8700 + index, turns: [['GET /e HTTP/1.1\r\nHost: h\r\n\r\n', head + body]] };
});

const TARGETS = [
  'GET /a?access_token=hush-c1&x=1',
  'GET /a?x=1&Password=hush-c2',
  'GET /a?pass=hush-c3;sig=hush-c4',
  'GET /a?api_key=hush-c5&apikey=hush-c6&api-key=hush-c7',
  'GET /a?client_secret=hush-c8&client_assertion=hush-c9',
  'GET /a?pass%77ord=hush-d1',
  'GET /a?user[password]=hush-d2&user%5Bpassword%5D=hush-d3',
  'GET http://u:hush-d4@h/a',
  'GET /a?next=https://u:hush-d5@h/ ',
  'GET /a?next=https%3A%2F%2Fu%3Ahush-d6%40h%2F',
  'CONNECT u:hush-d7@h:443',
  'GET /reset/eyJhbGciOiJub25lIn0.hush-d8.hush-d9',
  'GET /a;jsessionid=hush-e0?sid=hush-e9',
  'GET /a?key=hush-n3',
  'GET /a?SAMLResponse=hush-n4&RelayState=hush-n5',
  'GET /a?ticket=hush-n6',
  'GET /a?subscription-key=hush-n7',
  'GET /a?next=https%3A%2F%2Fi%2F%3Faccess_token%3Dhush-n8%26x%3D1',
  'GET /a?next=https%253A%252F%252Fi%252F%253Faccess_token%253Dhush-n9',
  'GET /graphql?query=mutation&variables=%7B%22p%22%3A%22hush-o1%22%7D',
  'GET /graphql?query=mutation%7Blogin(password%3A%22hush-o2%22)%7D',
  'GET /reset/hushA1b2C3d4E5f6G7h8I9j0',
  'GET /a?x=hushK1b2C3d4E5f6G7h8I9j0',
  'GET /verify/ghp_hushAbcdefghij1234567890',
  'GET /x/sk_live_hushabcdefgh1234',
  'GET /x/AKIAIOSFODNN7EXAMPLE.hush-o3',
].map((line, index) => http(8100 + index, `${line.trim()} HTTP/1.1\r\nHost: u:hush-e1@h`));

const ANSWERS = [
  'Set-Cookie: id=hush-e2; Path=/\r\n',
  'Location: https://u:hush-e3@h/?token=hush-e4\r\n',
  'X-Auth-Token: hush-e5\r\n',
].map((answer, index) => http(8200 + index, 'GET /a HTTP/1.1\r\nHost: h', answer));

const frame = (text: string) => `\x81${String.fromCharCode(text.length)}${text}`;
const WEBSOCKET = [
  '{"user":"u","password":"hush-f1","n":1}',
  'token=hush-f2',
  'Authorization: Bearer hush-f3',
  'CONNECT\nlogin:u\npasscode:hush-p1 hush-p2\n\n\0',
  '{"payload":{"variables":{"a":{"b":"hush-p3"},"c":"hush-p4"}}}',
  'now {\\"password\\":\\"hush-p5\\"}',
  'it was Bearer hush-p6',
  'q basic hush-p7',
].map(
  (text, index): Conversation => ({
    port: 8300 + index,
    turns: [
      [
        'GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n\r\n',
        `HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${frame(text)}`,
      ],
    ],
  }),
);

/** A header field as HPACK has it, of no table (RFC 7541, section 6.2.2). */
const field = (name: string, value: string) =>
  `\x00${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`;
const h2 = (type: number, flags: number, stream: number, payload: string) =>
  `\0\0${String.fromCharCode(payload.length, type, flags)}\0\0\0${String.fromCharCode(stream)}${payload}`;
const HTTP2: Conversation = {
  port: 8400,
  turns: [
    [
      `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${h2(4, 0, 0, '')}${h2(
        1,
        5,
        1,
        field(':method', 'POST') + field(':path', '/s.S/M?token=hush-g1') + field(':authority', 'u:hush-g2@h'),
      )}${h2(
        1,
        5,
        3,
        field(':method', 'GET') + field(':path', '/a') + field('cookie', 'hush-g3') + field('x-token-bin', 'hush-g4'),
      )}`,
      `${h2(4, 0, 0, '')}${h2(1, 5, 1, field(':status', '200') + field('content-type', 'application/grpc') + field('grpc-status', '16') + field('grpc-message', 'bad token=hush-g5'))}${h2(
        1,
        5,
        3,
        field(':status', '302') + field('set-cookie', 'hush-g6') + field('location', '/?code=hush-g7'),
      )}${h2(7, 0, 0, `\0\0\0\x01\0\0\0\x01password=hush-g8;`)}`,
    ],
  ],
};

const resp = (...words: string[]) =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
const REDIS: Conversation = {
  port: 6379,
  turns: [
    resp('AUTH', 'hush-h1'),
    resp('auth', 'u', 'hush-h2'),
    resp('HELLO', '3', 'AUTH', 'u', 'hush-h3'),
    resp('CONFIG', 'SET', 'maxclients', '5', 'requirepass', 'hush-h4'),
    resp('ACL', 'SETUSER', 'u', 'on', '>hush-h5', '~*'),
    resp('MIGRATE', 'h', '1', 'k', '0', '10', 'AUTH2', 'u', 'hush-h6'),
    resp('SENTINEL', 'SET', 'm', 'auth-pass', 'hush-h7'),
    resp('HSET', 'user:1', 'name', 'u', 'password', 'hush-h8'),
    resp('SETEX', 'session:token', '60', 'hush-h9'),
    resp('SET', 'user:1', '{"password":"hush-i1"}'),
    'AUTH hush-i2\r\n',
    resp('EVAL', "return redis.call('AUTH', 'hush-q1')", '1', 'k', 'hush-q2'),
    resp('EVALSHA', 'abc', '0', 'hush-q3'),
    resp('EVAL', 'redis.call("SET", "db:password", "hush-q4")', '0'),
    resp('SCRIPT', 'LOAD', 'redis.call("AUTH", "u", "hush-q5")'),
  ]
    .map((command): readonly [string, string] => [command, '-ERR it was redis://:hush-i3@h/0\r\n'])
    .concat([
      [resp('AUHT', 'hush-q6'), "-ERR unknown command 'AUHT', with args beginning with: 'hush-q6' \r\n"],
      [resp('MONITOR'), '+OK\r\n+1339518083.107412 [0 127.0.0.1:60866] "auth" "hush-q7"\r\n'],
    ]),
};

const SQL = [
  "ALTER USER a PASSWORD 'hush-j1'",
  'ALTER ROLE a PASSWORD $$hush-j2$$',
  "ALTER ROLE a PASSWORD E'hush-j3'",
  "ALTER ROLE a PASSWORD /* new */ 'hush-j4'",
  "ALTER ROLE a -- change it\n PASSWORD 'hush-j5'",
  "SELECT dblink_connect('c', 'host=h password=hush-j6')",
  "CREATE SUBSCRIPTION s CONNECTION 'host=h user=u password=hush-j7' PUBLICATION p",
  "SELECT crypt('hush-j8', gen_salt('bf'))",
  "INSERT INTO users (name, password) VALUES ('a', 'hush-j9'), ('b', 'hush-k1')",
  "UPDATE users SET password = 'hush-k2', token='hush-k3'",
  "SET PASSWORD FOR 'a' @ '%' = PASSWORD('hush-k4')",
  "ALTER USER a IDENTIFIED BY 'hush-k5' REPLACE 'hush-k6'",
  "CREATE USER a IDENTIFIED /* x */ BY 'hush-k7', b IDENTIFIED BY 'hush-k8'",
  "CREATE TABLE f (a int) CONNECTION='mysql://u:hush-k9@h/d'",
  '/*!50000 ALTER USER a IDENTIFIED BY "hush-l1" */',
  "CHANGE MASTER TO MASTER_PASSWORD='hush-l2'",
  "ALTER USER a IDENTIFIED BY 'hush-l3 ",
  "SELECT 1 FROM u WHERE password = COALESCE('hush-r1', '')",
  "SELECT 1 FROM u WHERE 'hush-r2' = password",
  "UPDATE u SET password_hash = 'hush-r3', pass = 'hush-r4', pw='hush-r5'",
  "INSERT INTO u (id, passwd_hash) VALUES (1, CONCAT('hush-r6', 'hush-r7'))",
  "SELECT 1 FROM u WHERE password IN ('hush-r8', UPPER('hush-r9'))",
];
const u32be = (value: number) =>
  String.fromCharCode(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
const postgresql = (type: string, body: string) => `${type}${u32be(body.length + 4)}${body}`;
const mysql = (number: number, body: string) => `${String.fromCharCode(body.length, 0, 0, number)}${body}`;
const STATEMENTS = SQL.flatMap((sql, index): Conversation[] => [
  {
    port: 5432 + index * 2,
    turns: [
      [
        postgresql('Q', `${sql}\0`),
        `${postgresql('E', `SERROR\0C42601\0Msyntax error at or near "${sql}"\0\0`)}${postgresql('Z', 'I')}`,
      ],
    ],
  },
  { port: 3306 + index * 2, turns: [[mysql(0, `\x03${sql}`), mysql(1, `\xff\x28\x04#42000near '${sql}' at line 1`)]] },
]);

const conversations = [...HTTP, ...TARGETS, ...ANSWERS, ...WEBSOCKET, HTTP2, REDIS, ...STATEMENTS, ...ERRORS];

/** Bodies with lists of names and values, Secrets of Kubernetes, configurations: type, body, target. */
const BODIES = (
  [
    ['application/json', '{"env":[{"name":"DB_PASSWORD","value":"hush-a1"},{"value":"hush-a2","name":"API_TOKEN"}]}'],
    ['application/json', '{"kind":"Secret","apiVersion":"v1","data":{"a":"hush-a3"},"stringData":{"b":"hush-a4"}}'],
    ['application/json', '{"apiVersion":"v1","data":{"a":"hush-a5"},"kind":"Secret"}'],
    ['application/merge-patch+json', '{"data":{"a":"hush-a6"}}', '/api/v1/namespaces/shop/secrets/db?fieldManager=a'],
    [
      'application/json-patch+json',
      '[{"op":"add","path":"/data/a","value":"hush-a7"}]',
      '/api/v1/namespaces/s/secrets/a',
    ],
    ['application/yaml', 'apiVersion: v1\ndata:\n  a: hush-a8\n  b: |\n    hush-a9\nkind: Secret\n'],
    ['application/yaml', 'data:\n  a: hush-b1\n', '/api/v1/namespaces/shop/secrets'],
    ['text/plain', 'DB_PASSWORD=hush-b2 hush-b3\nSECRET_KEY_BASE=hush-b4\nexport STRIPE_KEY="hush-b5"\n'],
    ['application/json', '{"auths":{"r.io":{"auth":"hush-b6","identitytoken":"hush-b7"}}}'],
    ['application/yaml', 'users:\n- name: a\n  user:\n    client-key-data: hush-b8\n    password: hush-b9\n'],
    ['text/xml', '<a><add key="DbPassword" value="hush-c1"/><password><![CDATA[hush-c2]]></password></a>'],
  ] as const
).map(([type, body, target = '/a'], index): Conversation => {
  const tail = `Content-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  return {
    port: 8800 + index,
    turns: [[`PUT ${target} HTTP/1.1\r\nHost: h\r\n${tail}`, `HTTP/1.1 200 OK\r\n${tail}`]],
  };
});

/** All of them, one connection after the other. */
function capture(conversations: readonly Conversation[]): Buffer {
  const segments = conversations.flatMap(({ port, turns }, index): BuiltSegment[] => {
    const ports = [40_000 + index, port] as const;
    let at = index * 1000;
    // Connections with the same numbers would be legs of one.
    const first: [number, number] = [100 + index * 100_000, 200 + index * 100_000];
    const next: [number, number] = [first[0] + 1, first[1] + 1];
    const talk = turns.flatMap((texts) =>
      texts.map((text, side): BuiltSegment => {
        const payload = Buffer.from(text, 'latin1');
        at += 3;
        const own = side === 0 ? 0 : 1;
        const segment = {
          side: own,
          sequence: next[own],
          acknowledgment: next[own === 0 ? 1 : 0],
          flags: 'P.',
          payload,
          at,
          ports,
        } as const;
        next[own] += payload.length;
        return segment;
      }),
    );
    return [...handshake(first, index * 1000).map((segment) => ({ ...segment, ports })), ...talk];
  });
  return builtPcap(segments);
}

const OWN = join(import.meta.dirname, '../../analyze/protocols/captures');
const RECORDED = [
  'http2',
  'postgresql',
  'mysql',
  'amqp',
  'kafka',
  'mongodb',
  'websocket',
  'memcached',
  'nats',
  'mqtt',
  'ldap',
  'cql',
  'tds',
];
const captures = new Map([
  ['made', capture(conversations)],
  ...RECORDED.map((name): [string, Buffer] => [name, readFileSync(join(OWN, `${name}.pcap`))]),
]);

const tables = mkdtempSync(join(tmpdir(), 'ksnoop-secrets-'));
afterAll(() => rmSync(tables, { recursive: true, force: true }));

/** What makes forms that need an argument write all of a record. */
const WHOLE: Readonly<Record<string, readonly string[]>> = {
  'custom-columns': ['ALL:.'],
  jsonpath: ['{.}'],
  template: ['{{json .}}'],
  stream: ['0', '1', '2', '3', '4', '5', '6', '7'],
  // The working directory without one.
  parquet: [tables],
};

/** Every form there is, as `name`, whether as JSON, and with which --where. */
const loaded = await Promise.all(ANALYSIS_OUTPUTS.map(async (form) => ({ form, kind: await form.load() })));
const forms = loaded.flatMap(({ form, kind }) =>
  (form.json ? [false, true] : [false]).flatMap((json) =>
    [undefined, 'protocol != "none"'].map((where) => ({
      form: form.name,
      kind,
      json,
      where,
      name: `${form.name} ${json} ${where}`,
    })),
  ),
);

function written(
  bytes: Buffer,
  { form: name, kind, json, where }: (typeof forms)[number],
  showSecrets: boolean,
  bodies = false,
): string {
  const lines: string[] = [];
  for (const argument of WHOLE[name] ?? [undefined]) analyse(argument);
  return lines.join('\n');

  function analyse(argument: string | undefined) {
    const session = new AnalysisSession(
      kind,
      plainSettings({
        where: where === undefined ? undefined : compileWhere(where),
        showSecrets,
        line: (line) => void lines.push(line),
        colour: true,
        json,
        argument,
        bodies,
      }),
    );
    session.push(bytes);
    session.end();
  }
}

const SECRET = /(?:hush|hunter2)[-\w]*/g;
const secretsIn = (text: string) => [...new Set(text.match(SECRET) ?? [])].sort();

describe.each([...captures])('the secrets of %s', (_, bytes) => {
  it.each(forms)('are not in the output $name', (form) => {
    expect(secretsIn(written(bytes, form, false))).toEqual([]);
  });

  it.each(['text', 'json', 'har'])('are not in the bodies that the output %s shows', (name) => {
    const form = forms.find((each) => each.form === name && !each.json && each.where === undefined);
    if (form === undefined) throw new Error('there is no such output');
    expect(secretsIn(written(bytes, form, false, true))).toEqual([]);
  });
});

describe('the secrets of bodies', () => {
  const bytes = capture(BODIES);
  const all = secretsIn(bytes.toString('latin1'));

  it.each(['text', 'json', 'har', 'curl', 'stream'])('are not in the output %s', (name) => {
    const form = forms.find((each) => each.form === name && !each.json && each.where === undefined);
    if (form === undefined) throw new Error('there is no such output');
    expect(secretsIn(written(bytes, form, false, true))).toEqual([]);
    // Streams and commands show one connection, and one direction.
    if (name !== 'stream' && name !== 'curl') expect(secretsIn(written(bytes, form, true, true))).toEqual(all);
  });
});

it('the secrets that were made are in the JSON with --show-secrets', () => {
  const [bytes, json] = [captures.get('made'), forms.find(({ form }) => form === 'json')];
  if (bytes === undefined || json === undefined) throw new Error('neither can be missing');
  const all = secretsIn(bytes.toString('latin1'));
  expect(all.length).toBeGreaterThan(80);
  expect(secretsIn(written(bytes, json, true))).toEqual(all);
});
