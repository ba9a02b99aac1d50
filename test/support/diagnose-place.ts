import { issue, makeAuthority } from './certificates.ts';
import type { TestCluster } from './cluster.ts';
import { applyText, kubectl } from './shop.ts';

/** Clients and servers that stand apart, so that what is done in one lane is not seen in another. */
export const LANES = 4;

/** Codes of what is true of servers on a machine that does much else. */
export const OF_BUSY_MACHINES: ReadonlySet<string> = new Set([
  'DNS_SLOW',
  'SERVER_SLOW',
  'DEPENDENCY_SLOW',
  'RTO_STALL',
  'COLD_POD',
  'RECEIVER_SLOW',
  'BUFFERBLOAT',
  'RECEIVER_SLOW',
]);

/** What every server runs: HTTP at 8080, HTTP on loopback alone at 9001, HTTP/2 at 9003 (gRPC that is too late, refused streams), a second request is reset at 9004, TLS with two kinds of certificates. */
const PROGRAM = `
import { createServer, get } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer as createTls } from 'node:https';
import { createServer as createTcp } from 'node:net';
import { readFileSync } from 'node:fs';
const routes = {
  '/ok': (_, response) => response.end('ok\\n'),
  '/unavailable': (_, response) => response.writeHead(503).end('busy\\n'),
  '/slow': (_, response) => setTimeout(() => response.end('slow\\n'), 1500),
  '/cut': (_, response) => {
    response.writeHead(200, { 'content-length': 1000 });
    response.write('0123456789');
    setTimeout(() => response.destroy(), 200);
  },
  '/broken': (_, response) => response.writeHead(500).end('broken\\n'),
  '/never': () => {},
  '/big': (_, response) => response.end(Buffer.alloc(8_000_000)),
  '/front': (request, response) => {
    const back = new URL(request.url, 'http://x').searchParams.get('back');
    get('http://' + back + '/slow', (answer) => answer.resume().on('end', () => response.end('done\\n')));
  },
  '/via': (request, response) => {
    const next = new URL(request.url, 'http://x').searchParams.get('next');
    get(next, (answer) => answer.resume().on('end', () => response.end('done\\n')));
  },
  '/gate': (request, response) => {
    const back = new URL(request.url, 'http://x').searchParams.get('back');
    const call = get('http://' + back + '/never');
    call.on('error', () => response.writeHead(504).end('late\\n'));
    setTimeout(() => call.destroy(), 1000);
  },
};
const answer = (request, response) => {
  const route = routes[new URL(request.url, 'http://x').pathname];
  if (route) route(request, response);
  else response.writeHead(404).end();
};
createServer(answer).listen(8080);
createServer(answer).listen(9001, '127.0.0.1');
createHttp2().on('sessionError', () => {}).on('stream', (stream, headers) => {
  stream.on('error', () => {});
  if (headers[':path'] === '/ok') return stream.respond({ ':status': 200 }, { endStream: true });
  if (headers[':path'] === '/refused') return stream.close(7);
  setTimeout(() => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '4', 'grpc-message': 'deadline exceeded' }));
    stream.end();
  }, 300);
}).listen(9003);
createTcp((socket) => {
  let requests = 0;
  socket.on('error', () => {}).on('data', () => {
    requests += 1;
    if (requests === 1) socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\nok\\n');
    else socket.resetAndDestroy();
  });
}).listen(9004);
for (const [port, name] of [[8443, 'expired'], [8444, 'unknown']]) {
  const pem = (kind) => readFileSync('/diagnose/' + name + '.' + kind);
  createTls({ cert: pem('crt'), key: pem('key') }, answer).listen(port);
}
process.on('SIGTERM', () => process.exit(0));
`;

const DAY = 86_400_000;

function files(namespace: string): object {
  const authority = makeAuthority('an authority that nobody knows');
  const wanted = { name: namespace, hosts: ['shop.example'] };
  const past = { from: new Date(Date.now() - 90 * DAY), until: new Date(Date.now() - DAY) };
  const [expired, unknown] = [issue(authority, { ...wanted, ...past }), issue(authority, wanted)];
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'files', namespace },
    data: {
      'server.mjs': PROGRAM,
      'expired.crt': expired.certificate,
      'expired.key': expired.key,
      'unknown.crt': unknown.certificate,
      'unknown.key': unknown.key,
    },
  };
}

interface Workload {
  readonly name: string;
  /** Of several pods of one Service; the name where left out. */
  readonly app?: string;
  readonly node?: string | undefined;
}

/** A pod that serves, or waits to be told what to do. */
function pod(kind: 'client' | 'server', namespace: string, image: string, { name, app = name, node }: Workload) {
  const server = {
    command: ['/usr/bin/node', '/diagnose/server.mjs'],
    ports: [
      { name: 'http', containerPort: 8080 },
      { name: 'local', containerPort: 9001 },
      { name: 'absent', containerPort: 9002 },
    ],
    readinessProbe: { httpGet: { path: '/ok', port: 8080 }, periodSeconds: 1, timeoutSeconds: 30 },
  };
  const client = { command: ['/usr/bin/transfer', 'serve', '5300'] };
  const redis = {
    name: 'redis',
    image,
    command: ['/usr/bin/redis-server', '--protected-mode', 'no', '--save', '', '--maxclients', '2'],
    ports: [{ name: 'redis', containerPort: 6379 }],
  };
  const main = {
    name,
    image,
    volumeMounts: [{ name: 'files', mountPath: '/diagnose' }],
    ...(kind === 'server' ? server : client),
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app, part: kind } },
    spec: {
      terminationGracePeriodSeconds: 1,
      ...(node === undefined ? {} : { nodeName: node }),
      containers: [main, ...(name === 'server-0' ? [redis] : [])],
      volumes: [{ name: 'files', configMap: { name: 'files' } }],
    },
  };
}

/** A PostgreSQL that takes two connections. */
function postgres(namespace: string, image: string): object {
  const script = [
    'initdb -D /data/db -U shop --auth trust --no-sync > /dev/null',
    "echo 'host all all all trust' >> /data/db/pg_hba.conf",
    'exec postgres -D /data/db -k /data -c listen_addresses=* -c fsync=off -c shared_buffers=16MB -c max_wal_senders=0 ' +
      '-c max_connections=2 -c superuser_reserved_connections=1',
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'postgres', namespace, labels: { app: 'postgres', part: 'server' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsUser: 999, runAsGroup: 999 },
      containers: [
        {
          name: 'postgres',
          image,
          env: [
            { name: 'LC_ALL', value: 'C' },
            { name: 'PATH', value: '/usr/lib/postgresql/15/bin:/usr/local/bin:/usr/bin:/bin' },
          ],
          command: ['/bin/sh', '-ec', script.join('\n')],
          ports: [{ name: 'postgres', containerPort: 5432 }],
          readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1, timeoutSeconds: 30 },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  };
}

/** A Service of one port. */
export function service(namespace: string, name: string, app: string | undefined, spec: object): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { ...(app === undefined ? {} : { selector: { app } }), ...spec },
  };
}

/** What a place consists of. */
export interface Place {
  readonly namespace: string;
  /** The image of clients and servers, and that of the database. */
  readonly image: string;
  readonly stores: string;
  /** Where clients are, and where servers. */
  readonly nodes: readonly string[];
  /** What is in it besides. */
  readonly objects: readonly object[];
}

/** Make a namespace with clients and servers, and wait until its pods are ready. */
export async function makePlace(on: TestCluster, { namespace, image, stores, nodes, objects }: Place): Promise<void> {
  const lanes = Array.from({ length: LANES }, (_, lane) => lane);
  const place = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    files(namespace),
    ...lanes.flatMap((lane) => [
      pod('client', namespace, image, { name: `client-${lane}`, node: nodes[0] }),
      pod('server', namespace, image, { name: `server-${lane}`, node: nodes[1] }),
    ]),
    pod('server', namespace, image, { name: 'front' }),
    pod('server', namespace, image, { name: 'middle' }),
    pod('server', namespace, image, { name: 'back' }),
    pod('server', namespace, image, { name: 'odd' }),
    pod('server', namespace, image, { name: 'pin-0', app: 'pin' }),
    pod('server', namespace, image, { name: 'pin-1', app: 'pin' }),
    postgres(namespace, stores),
    pod('server', namespace, image, { name: 'guarded', node: nodes[1] }),
  ];
  await applyText(on, [...place, ...objects].map((object) => JSON.stringify(object)).join('\n---\n'));
  const ready = ['wait', '--for=condition=Ready', 'pods', '-l', 'part', '-n', namespace, '--timeout=300s'];
  await kubectl(on, ...ready);
}
