// What is broken on purpose is the first finding of `ksnoop diagnose`; the healthy shop has no finding.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/analyze/findings/finding.ts';
import { buildShopImage, buildStoresImage } from '../cluster/workloads/image.ts';
import type { TestCluster } from '../support/cluster.ts';
import { LANES, makePlace, OF_BUSY_MACHINES, service } from '../support/diagnose-place.ts';
import { HANG_MS } from '../support/hang.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';
import { ensureAgent, ensureImage, ensureShop, kubectl, requests } from '../support/shop.ts';

const namespace = `diagnose-${Date.now().toString(36)}`;
const directory = mkdtempSync(join(tmpdir(), 'ksnoop-diagnose-'));
let on: TestCluster;
let nodes: string[] = [];
let image = '';

/** Something that is broken. */
interface Situation {
  readonly title: string;
  /** Codes of the first finding that are right. */
  readonly codes: readonly string[];
  /** Codes of further findings that there must be. */
  readonly also?: readonly string[];
  /** Whose clients and servers it uses: situations of one lane come one after another. */
  readonly lane: number;
  /** Its Service, without the selector; left out: it has none of its own. */
  readonly service?: object;
  /** What its Service selects; a server of the lane where left out, nothing where undefined. */
  readonly app?: string | undefined;
  readonly objects?: (name: string) => readonly object[];
  /** What is diagnosed: its Service and the lane's client where left out. */
  readonly targets?: (name: string) => readonly string[];
  /** Pods that are captured before anything is done. */
  readonly captured?: number;
  /** Made once everything is captured, before `act`. */
  readonly before?: () => Promise<unknown>;
  /** It runs commands on a node: only where the cluster is ours, as what has `before`. */
  readonly onNode?: true;
  /** A command for the shell of the lane's client, or whatever is waited for. Without it objects alone show what is wrong. */
  readonly act?: string | ((name: string) => Promise<unknown>);
  readonly after?: () => Promise<unknown>;
}

const port = (targetPort: number | string, more: object = {}) => ({ ports: [{ port: 80, targetPort }], ...more });
/** Four requests, whatever becomes of them. */
const curl = (words: string) => `for i in 1 2 3 4; do curl -s -m 8 -o /dev/null ${words}; done`;
const NODE_PORT = 30_881;
const EXTERNAL = { type: 'NodePort', externalTrafficPolicy: 'Local' };
/** The name that is in the certificates. */
const NAMED = '--resolve shop.example:80:ADDRESS https://shop.example:80/ok';
/** Two at the same time, each with SYNs after 1 s and 2 or 3 s. */
const hopeless = (url: string) => `curl -s -m 5 -o /dev/null ${url} & curl -s -m 5 -o /dev/null ${url}; wait`;

const SITUATIONS: readonly Situation[] = [
  { title: 'no endpoints', codes: ['SERVICE_NO_ENDPOINTS'], lane: 0, app: undefined, service: port(8080) },
  {
    title: 'a client of a Service without endpoints',
    codes: ['SERVICE_NO_ENDPOINTS'],
    lane: 0,
    app: undefined,
    service: port(8080),
    targets: () => ['pod/client-0'],
    captured: 1,
    act: curl('http://ADDRESS/ok'),
  },
  {
    title: 'a typing error in the selector',
    codes: ['SERVICE_SELECTOR_EMPTY'],
    lane: 1,
    app: 'sevrer-1',
    service: port(8080),
  },
  {
    title: 'a targetPort that no pod names',
    codes: ['SERVICE_TARGETPORT_MISMATCH'],
    lane: 2,
    app: 'odd',
    service: port('web'),
  },
  {
    title: 'a number as targetPort that is wrong',
    codes: ['SERVICE_TARGETPORT_MISMATCH'],
    lane: 1,
    app: 'odd',
    service: port(8081),
    act: curl('http://ADDRESS/ok'),
  },
  {
    title: 'an Ingress whose backend does not exist',
    codes: ['INGRESS_BACKEND_MISSING'],
    lane: 0,
    objects: (name) => [ingress(name, 'no-such-service')],
    targets: (name) => [`ingress/${name}`, '--backends-only'],
  },
  {
    title: 'a server that listens on loopback alone',
    codes: ['POD_LISTENS_ON_LOOPBACK', 'POD_NOT_LISTENING'],
    lane: 2,
    service: port(9001),
    act: curl('http://ADDRESS/ok'),
  },
  {
    title: 'a server that does not listen',
    codes: ['POD_NOT_LISTENING'],
    lane: 0,
    service: port(9002),
    act: curl('http://ADDRESS/ok'),
  },
  {
    title: 'a port that the Service does not have',
    codes: ['SERVICE_PORT_MISSING'],
    lane: 1,
    service: port(8080),
    act: curl('http://ADDRESS:81/ok'),
  },
  {
    title: 'a name that does not exist',
    codes: ['DNS_NAME_MISSING'],
    lane: 1,
    targets: () => ['pod/client-1'],
    captured: 1,
    act: curl('http://srever-1.shop.svc.cluster.local./'),
  },
  {
    title: 'packets that are dropped between two pods',
    codes: ['CONNECT_TIMEOUT'],
    lane: 2,
    service: port(8080),
    before: () => drop('client-2', 'server-2'),
    act: hopeless('http://ADDRESS/ok'),
    after: () => undrop(),
  },
  {
    title: 'a NetworkPolicy that denies',
    codes: ['NETWORK_POLICY_DROPS'],
    lane: 2,
    app: 'guarded',
    service: port(8080),
    objects: () => [
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'guarded', namespace },
        spec: {
          podSelector: { matchLabels: { app: 'guarded' } },
          ingress: [{ from: [{ podSelector: { matchLabels: { app: 'front' } } }] }],
        },
      },
    ],
    // The cluster's network enforces no policies: rule and object together are one that does.
    before: () => drop('client-2', 'guarded'),
    act: hopeless('http://ADDRESS/ok'),
    after: () => undrop(),
  },
  {
    title: 'a Service that is Local and has no endpoint on the node of its client',
    codes: ['TRAFFIC_POLICY_NO_LOCAL_ENDPOINT'],
    lane: 0,
    service: port(8080, { internalTrafficPolicy: 'Local' }),
    act: hopeless('http://ADDRESS/ok'),
  },
  {
    title: 'a Service whose node port is Local, on a node that has no endpoint',
    codes: ['TRAFFIC_POLICY_NO_LOCAL_ENDPOINT'],
    lane: 2,
    service: { ports: [{ port: 80, targetPort: 8080, nodePort: NODE_PORT }], ...EXTERNAL },
    // On the node there is the traffic of all other lanes too.
    targets: () => [`node/${nodes[0]}`, '--scope', 'target', '-f', `tcp port ${NODE_PORT}`],
    captured: 1,
    // From a pod it would reach endpoints of other nodes: from the other node itself it does not.
    onNode: true,
    act: () => connectFromNode(),
  },
  {
    title: 'pods that do not reach themselves through their own Service',
    codes: ['HAIRPIN_FAILS'],
    lane: 3,
    app: 'hairpin',
    service: port(8080),
    objects: () => [hairpinPod('hairpin-0'), hairpinPod('hairpin-1')],
    targets: (name) => [`svc/${name}`],
    captured: 2,
    onNode: true,
    act: (name) => hairpinConnections(name),
    after: () => hairpinMode('hairpin-0', 1),
  },
  {
    title: 'an endpoint whose pod does not exist',
    codes: ['STALE_ENDPOINT'],
    lane: 0,
    app: undefined,
    service: port(8080),
    objects: (name) => [staleSlice(name)],
    targets: (name) => [`svc/${name}`, 'pod/client-0'],
    captured: 1,
    act: () => new Promise((resolve) => setTimeout(resolve, 11_000)),
  },
  {
    title: 'a backend of an Ingress that refuses: 502',
    codes: ['POD_NOT_LISTENING', 'GATEWAY_ERROR'],
    lane: 1,
    service: port(9002),
    objects: (name) => [ingress(name, name)],
    targets: (name) => [`ingress/${name}`, 'pod/client-1'],
    captured: 3,
    // The controller takes a moment to notice the Ingress.
    act: `${untilNoticed('SERVICE')}; ${curl("-H 'Host: SERVICE.example' http://EDGE/ok")}`,
  },
  {
    title: 'a server that is not available: 503',
    codes: ['GATEWAY_ERROR'],
    lane: 0,
    service: port(8080),
    act: curl('http://ADDRESS/unavailable'),
  },
  {
    title: 'responses that are cut off',
    codes: ['RESPONSE_CUT'],
    lane: 3,
    service: port(8080),
    act: curl('http://ADDRESS/cut'),
  },
  {
    title: 'an expired certificate',
    codes: ['TLS_CERTIFICATE_EXPIRED'],
    lane: 2,
    service: port(8443),
    act: curl(`-k --tls-max 1.2 ${NAMED}`),
  },
  {
    title: 'an authority that the client does not know',
    codes: ['TLS_HANDSHAKE_FAILS'],
    lane: 2,
    service: port(8444),
    act: curl(`--cacert /diagnose/expired.crt --tls-max 1.2 ${NAMED}`),
  },
  {
    title: 'TLS to a port that speaks HTTP',
    codes: ['TLS_PORT_MISMATCH'],
    lane: 3,
    service: port(8080),
    act: curl(`-k ${NAMED}`),
  },
  {
    title: 'a Redis that has no connections left',
    codes: ['DB_REFUSES'],
    lane: 0,
    service: { ports: [{ port: 6379 }] },
    act: `node -e '${redisClients('ADDRESS')}'`,
  },
  {
    title: 'a dependency that is slow',
    codes: ['DEPENDENCY_SLOW', 'SERVER_SLOW'],
    lane: 1,
    targets: () => ['svc/front', 'pod/client-1', 'svc/back'],
    captured: 3,
    act: 'for i in 1 2 3 4 5 6; do curl -s -m 60 -o /dev/null "http://FRONT/front?back=BACK"; done',
  },
  {
    title: 'a PostgreSQL that has no connections left',
    codes: ['DB_REFUSES'],
    lane: 3,
    app: 'postgres',
    service: { ports: [{ port: 5432 }] },
    act: `node -e '${postgresClients('ADDRESS')}'`,
  },
  {
    title: 'a certificate for another name',
    codes: ['TLS_NAME_MISMATCH'],
    lane: 3,
    service: port(8444),
    act: curl('-k --tls-max 1.2 --resolve other.example:80:ADDRESS https://other.example:80/ok'),
  },
  {
    title: 'requests that come again because they fail',
    codes: ['RETRY_STORM'],
    lane: 3,
    service: port(8080),
    act: 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do for a in 1 2 3; do curl -s -m 8 -o /dev/null -H "x-request-id: id$i" http://ADDRESS/broken; done; done',
  },
  {
    title: 'a client that does not wait for the response',
    codes: ['CLIENT_GAVE_UP'],
    lane: 3,
    service: port(8080),
    act: 'for i in 1 2 3 4; do curl -s -m 3 -o /dev/null http://ADDRESS/never & done; wait',
  },
  {
    title: 'a head that is too large',
    codes: ['HEADER_TOO_LARGE'],
    lane: 3,
    service: port(8080),
    act: `x=$(printf '%020000d' 0); ${curl('-H "x: $x" http://ADDRESS/ok')}`,
  },
  {
    title: 'large packets that are dropped',
    codes: ['MTU_BLACKHOLE'],
    lane: 2,
    service: port(8080),
    before: () => drop('server-2', 'client-2', 'meta length > 1000'),
    act: 'curl -s -m 12 -o /dev/null http://ADDRESS/big',
    after: () => undrop(),
  },
  {
    title: 'a client that does not read',
    codes: ['RECEIVER_SLOW'],
    lane: 3,
    service: port(8080),
    act: `node -e '${slowReader('ADDRESS')}'`,
  },
  {
    title: 'names that are searched in every domain first',
    codes: ['DNS_SEARCH_EXPANSION'],
    lane: 0,
    targets: () => ['pod/client-0'],
    captured: 1,
    act: `for i in $(seq 20); do node -e 'require("dns").lookup("edge.shop.svc.cluster.local", () => {})'; done`,
  },
  {
    title: 'a pod that becomes ready and unready again',
    codes: ['READINESS_FLAPPING'],
    lane: 2,
    app: 'flap',
    service: port(8080),
    objects: () => [flappingPod('flap-0', false), flappingPod('flap-1', true)],
    captured: 3,
    act: () => readinessChanges('flap-1', 3),
  },
  {
    title: 'a gateway whose backend does not answer in time: 504',
    codes: ['GATEWAY_ERROR'],
    lane: 1,
    targets: () => ['svc/front', 'pod/client-1', 'svc/back'],
    captured: 3,
    act: curl('"http://FRONT/gate?back=BACK"'),
  },
  {
    title: 'a slow dependency behind another one',
    codes: ['DEPENDENCY_SLOW', 'SERVER_SLOW'],
    also: ['DEPENDENCY_SLOW', 'SERVER_SLOW'],
    lane: 1,
    targets: () => ['svc/front', 'pod/client-1', 'svc/middle', 'svc/back'],
    captured: 4,
    act: `for i in 1 2 3 4 5 6; do curl -s -m 60 -o /dev/null -G http://FRONT/via --data-urlencode "next=http://MIDDLE/via?next=http://BACK/slow"; done`,
  },
  {
    title: 'calls that exceed their deadline',
    codes: ['GRPC_DEADLINE'],
    lane: 1,
    service: port(9003),
    act: `node -e '${http2Client('ADDRESS', "':method': 'POST', ':path': '/shop.Cart/Get', 'content-type': 'application/grpc', te: 'trailers', 'grpc-timeout': '300m'")}'`,
  },
  {
    title: 'idle connections of a pool that the server resets as they are used again',
    codes: ['KEEPALIVE_RACE'],
    lane: 0,
    service: port(9004),
    act: `node -e '${pooledRequests('ADDRESS')}'`,
  },
  {
    title: 'a DNS server that is gone: its Service has no endpoint',
    codes: ['SERVICE_NO_ENDPOINTS'],
    lane: 2,
    app: undefined,
    service: { ports: [{ port: 53, protocol: 'UDP', targetPort: 53 }] },
    targets: () => ['pod/client-2'],
    captured: 1,
    act: `node -e '${lookups('ADDRESS')}'`,
  },
  {
    title: 'an HTTP/2 server that refuses streams',
    codes: ['HTTP2_STREAM_LIMIT'],
    lane: 0,
    service: port(9003),
    act: `node -e '${http2Client('ADDRESS', "':path': '/refused'")}'`,
  },
  {
    title: 'a pod that gets nothing beside one long HTTP/2 connection',
    codes: ['UNEVEN_BALANCING'],
    lane: 2,
    app: 'pin',
    service: port(9003),
    captured: 3,
    act: `node -e '${http2Client('ADDRESS', "':path': '/ok'", 90)}'`,
  },
  {
    title: 'a server that does not accept connections',
    codes: ['ACCEPT_QUEUE_FULL'],
    lane: 3,
    service: port(9005),
    act: (name) => overflow(name, 3),
  },
  {
    title: 'every 16th packet of a transfer lost',
    codes: ['PACKET_LOSS'],
    lane: 3,
    service: port(8080),
    before: () => drop('server-3', 'client-3', 'numgen inc mod 16 0', LOSS_TABLE),
    act: 'for i in $(seq 20); do curl -s -m 40 -o /dev/null http://ADDRESS/big; done',
    after: () => undrop(LOSS_TABLE),
  },
];

/** Wait for the ingress controller to know a host whose backend refuses. */
function untilNoticed(name: string): string {
  const status = `curl -s -m 8 -o /dev/null -w '%{http_code}' -H 'Host: ${name}.example' http://EDGE/ok`;
  return `i=0; until [ "$(${status})" = 502 ] || [ $i = 100 ]; do i=$((i+1)); sleep 1; done`;
}

function ingress(name: string, backend: string): object {
  const path = { path: '/', pathType: 'Prefix', backend: { service: { name: backend, port: { number: 80 } } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace },
    spec: { ingressClassName: 'shop', rules: [{ host: `${name}.example`, http: { paths: [path] } }] },
  };
}

function staleSlice(name: string): object {
  const endpoint = (address: string, pod: string) => ({
    addresses: [address],
    conditions: { ready: true },
    targetRef: { kind: 'Pod', name: pod, namespace },
  });
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-stale`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [endpoint('10.244.1.251', 'gone')],
  };
}

/** Calls over one HTTP/2 connection, one after another. @param headers of each, members of an object */
function http2Client(host: string, headers: string, times = 6): string {
  return `
    const session = require("http2").connect("http://${host}:80");
    let calls = 0;
    const call = () => {
      calls += 1;
      const stream = session.request({ ${headers.replaceAll("'", '"')} });
      stream.on("error", () => {}).on("close", () => (calls < ${times} ? call() : session.close())).resume().end();
    };
    session.on("error", () => {});
    call();`;
}

/** Names that are asked for at one server, one after another: the kernel sends one ICMP message a second. */
function lookups(host: string): string {
  return `
    const ask = (i) => {
      const resolver = new (require("dns").Resolver)({ timeout: 2000, tries: 1 });
      resolver.setServers(["${host}"]);
      resolver.resolve4("name" + i + ".example", () => { if (i < 5) setTimeout(ask, 1100, i + 1); });
    };
    ask(0);`;
}

/** Connections with a request each, and another one when they have been idle for a while. */
function pooledRequests(host: string): string {
  return `
    const request = "GET /ok HTTP/1.1\\r\\nHost: pool\\r\\n\\r\\n";
    for (let i = 0; i < 12; i += 1) {
      const socket = require("net").connect(80, "${host}", () => socket.write(request));
      socket.on("error", () => {}).once("data", () => setTimeout(() => socket.write(request), 1500));
    }`;
}

/** A server that is not probed: probes come from the node's address, as what a pod sends to itself does. */
function hairpinPod(name: string): object {
  const program =
    "require('node:http').createServer((_, response) => response.end(require('node:os').hostname() + '\\n')).listen(8080)";
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'hairpin' } },
    spec: {
      nodeName: nodes[0],
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'server', image, command: ['/usr/bin/node', '-e', program] }],
    },
  };
}

/** Turn hairpin mode of a pod's bridge port on or off. */
async function hairpinMode(name: string, mode: 0 | 1): Promise<void> {
  const link = (await inPod(name, 'cat /sys/class/net/eth0/iflink')).trim();
  const script = `for port in /sys/class/net/cni0/brif/*; do
    grep -qx ${link} /sys/class/net/\${port##*/}/ifindex && echo ${mode} > $port/hairpin_mode && exit 0
  done; exit 1`;
  const { code, stderr } = await on.nodeExec(nodes[0] ?? '', ['sh', '-c', script]);
  expect(code, stderr).toBe(0);
}

/** Connections of a pod to its own Service, half of them back to itself, where the node does not bring them back. */
async function hairpinConnections(name: string): Promise<void> {
  const host = await addressOf(name);
  const answers = 'until curl -s -m 5 -o /dev/null http://127.0.0.1:8080/; do sleep 0.2; done';
  await Promise.all([inPod('hairpin-0', answers), inPod('hairpin-1', answers)]);
  // The node knows both endpoints once both answer.
  const names = `for i in $(seq 20); do curl -s -m 5 http://${host}/; done | sort -u | grep -c hairpin`;
  await inPod('hairpin-0', `until [ "$(${names})" = 2 ]; do sleep 0.5; done`);
  await hairpinMode('hairpin-0', 0);
  await inPod('hairpin-0', `for i in $(seq 40); do curl -s -m 6 -o /dev/null http://${host}/ & sleep 0.05; done; wait`);
}

const inPod = (name: string, script: string) => kubectl(on, 'exec', '-n', namespace, name, '--', 'sh', '-c', script);

/** Connections from one node to the other's node port. */
async function connectFromNode(): Promise<void> {
  const path = 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}';
  const host = (await kubectl(on, 'get', 'node', nodes[0] ?? '', '-o', path)).trim();
  await on.nodeExec(nodes[1] ?? '', ['sh', '-c', hopeless(`http://${host}:${NODE_PORT}/ok`)]);
}

/** Ready half of the time, or always. */
function flappingPod(name: string, isFlapping: boolean): object {
  const even = ['/usr/bin/node', '-e', 'process.exit(Math.floor(Date.now() / 4000) % 2)'];
  const probe = { exec: { command: even }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 30 };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'flap' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'flap',
          image,
          command: ['/usr/bin/transfer', 'serve', '8080'],
          ...(isFlapping ? { readinessProbe: probe } : {}),
        },
      ],
    },
  };
}

beforeAll(async () => {
  on = await ensureShop();
  await ensureAgent();
  image = (await buildShopImage(console.error)).tag;
  const stores = await buildStoresImage(console.error);
  await ensureImage(on, stores.tag, stores.path, console.error);
  nodes = (await kubectl(on, 'get', 'nodes', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ');
  const objects = SITUATIONS.flatMap((situation) => {
    const name = nameOf(situation);
    const app = 'app' in situation ? situation.app : `server-${situation.lane}`;
    return [
      ...(situation.service === undefined ? [] : [service(namespace, name, app, situation.service)]),
      ...(situation.objects?.(name) ?? []),
    ];
  });
  const dependencies = ['front', 'middle', 'back'].map((name) => service(namespace, name, name, port(8080)));
  await makePlace(on, { namespace, image, stores: stores.tag, nodes, objects: [...objects, ...dependencies] });
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  if (on.own) await Promise.all([undrop(), undrop(LOSS_TABLE)]);
  await on.kubectl('delete', 'namespace', namespace, '--wait=false');
});

function nameOf(situation: Situation): string {
  return `s${SITUATIONS.indexOf(situation)}`;
}

/** A table of rules on the clients' node: what one pod sends to another goes no further. */
const TABLE = 'ksnoop_diagnose';
/** Another one, of another lane. */
const LOSS_TABLE = 'ksnoop_diagnose_loss';

async function drop(sender: string, receiver: string, which = 'tcp dport 8080', table = TABLE): Promise<void> {
  const address = async (name: string) =>
    (await kubectl(on, 'get', 'pod', '-n', namespace, name, '-o', 'jsonpath={.status.podIP}')).trim();
  const [from, to] = await Promise.all([address(sender), address(receiver)]);
  const rules = [
    `add table ip ${table}`,
    `add chain ip ${table} forward { type filter hook forward priority -200; }`,
    `add rule ip ${table} forward ip saddr ${from} ip daddr ${to} ${which} drop`,
  ];
  const { code, stderr } = await on.nodeExec(nodes[0] ?? '', ['nft', rules.join('; ')]);
  expect(code, stderr).toBe(0);
}

const undrop = (table = TABLE) => on.nodeExec(nodes[0] ?? '', ['nft', `delete table ip ${table}`]);

/** More connections than the server takes, each with a request, for a moment. */
function redisClients(host: string): string {
  return `
    let open = 0;
    const end = () => { open -= 1; if (open === 0) process.exit(0); };
    for (let i = 0; i < 8; i += 1) {
      open += 1;
      const socket = require("net").connect(6379, "${host}", () => socket.write("*1\\r\\n$4\\r\\nPING\\r\\n"));
      socket.on("error", () => {}).on("close", end).on("data", () => {});
      setTimeout(() => socket.destroy(), 2000);
    }`;
}

/** More connections than the server takes: each asks to be let in, and waits. */
function postgresClients(host: string): string {
  return `
    const startup = Buffer.from("\\0\\0\\0\\0\\0\\3\\0\\0user\\0shop\\0database\\0postgres\\0\\0", "latin1");
    startup.writeInt32BE(startup.length);
    for (let i = 0; i < 8; i += 1) {
      const socket = require("net").connect(5432, "${host}", () => socket.write(startup));
      socket.on("error", () => {}).on("data", () => {});
      setTimeout(() => socket.destroy(), 2000);
    }`;
}

/** A program that listens and accepts nothing until clients have tried to connect for a while. */
async function overflow(name: string, lane: number): Promise<void> {
  const server = `require("net").createServer().listen({ port: 9005, backlog: 1 }, () => {
    const nothing = new Int32Array(new SharedArrayBuffer(4));
    while (!require("fs").existsSync("/dev/shm/${name}")) Atomics.wait(nothing, 0, 0, 200);
    process.exit(0);
  })`;
  const host = await addressOf(name);
  const client = `for i in $(seq 40); do curl -s -m 6 -o /dev/null http://${host}/ok & done; wait`;
  const exec = (pod: string, ...command: string[]) => kubectl(on, 'exec', '-n', namespace, pod, '--', ...command);
  const shell = (script: string) => exec(`server-${lane}`, 'sh', '-c', script);
  const connect = async () => {
    await shell('until grep -q ":232D .* 0A " /proc/net/tcp /proc/net/tcp6; do sleep 0.2; done');
    try {
      await exec(`client-${lane}`, 'sh', '-c', client);
    } finally {
      await shell(`: > /dev/shm/${name}`);
    }
  };
  await Promise.all([exec(`server-${lane}`, 'node', '-e', server), connect()]);
}

/** Takes what comes in pieces, seconds apart. */
function slowReader(host: string): string {
  return `
    require("http").get("http://${host}/big", (response) => {
      let pieces = 0;
      response.on("data", () => {
        pieces += 1;
        if (pieces % 20 > 0 || pieces > 100) return;
        response.pause();
        setTimeout(() => response.resume(), 1500);
      });
    });`;
}

/** Wait until a pod has become ready or unready so often. */
async function readinessChanges(name: string, times: number): Promise<void> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  const deadline = Date.now() + HANG_MS;
  let last = '';
  for (let changes = -1; changes < times; ) {
    const status = await kubectl(on, 'get', 'pod', '-n', namespace, name, '-o', path);
    if (status !== last) changes += 1;
    last = status;
    if (Date.now() > deadline) throw new Error(`${name} changed ${changes} times, and not ${times}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

interface Report {
  readonly findings: readonly Finding[];
  readonly targets: readonly string[];
  readonly exchanges: number;
}

async function diagnosed(situation: Situation): Promise<Report> {
  const name = nameOf(situation);
  const { lane, act, targets = () => [`svc/${name}`, `pod/client-${lane}`], captured = 2 } = situation;
  const duration = act === undefined ? '3s' : '600s';
  const words = ['diagnose', ...targets(name), '-n', namespace, '--json', '--duration', duration];
  const ksnoop = new KsnoopProcess(words, on.kubeconfig);
  if (act === undefined) return reportOf(await ksnoop.finished());
  await ksnoop.capturing(captured);
  try {
    await situation.before?.();
    if (typeof act === 'string') {
      const script = act
        .replaceAll('SERVICE', name)
        .replaceAll('ADDRESS', await addressOf(name))
        .replaceAll('EDGE', await addressOf('edge', 'shop'))
        .replaceAll('FRONT', await addressOf('front'))
        .replaceAll('MIDDLE', await addressOf('middle'))
        .replaceAll('BACK', await addressOf('back'));
      await on.kubectl('exec', '-n', namespace, `client-${lane}`, '--', 'sh', '-c', script);
    } else await act(name);
  } finally {
    await situation.after?.();
  }
  return reportOf(await ksnoop.stop());
}

/** The address of a Service: where names are not the point, DNS is left out. */
async function addressOf(name: string, place = namespace): Promise<string> {
  const { stdout } = await on.kubectl('get', 'service', '-n', place, name, '-o', 'jsonpath={.spec.clusterIP}');
  return stdout.trim();
}

function reportOf({ code, stdout, stderr }: Awaited<ReturnType<KsnoopProcess['finished']>>): Report {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.toString()) as Report;
}

/** What the lane does at the moment; others wait. */
const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());

function inLane<Result>(lane: number, act: () => Promise<Result>): Promise<Result> {
  const result = (lanes[lane] ?? Promise.resolve()).then(act, act);
  lanes[lane] = result.catch(() => {});
  return result;
}

test.concurrent.for(SITUATIONS.map((situation) => [situation.title, situation] as const))(
  '%s',
  async ([, situation], { skip }) => {
    if ((situation.before !== undefined || situation.onNode === true) && !on.own) skip();
    const report = await inLane(situation.lane, () => diagnosed(situation));
    const findings = report.findings.filter(
      ({ code }) => situation.codes.includes(code) || !OF_BUSY_MACHINES.has(code),
    );
    const shown = findings.map(({ code, severity, message }) => `${code} ${severity} ${message}`);
    expect(situation.codes, shown.join('\n')).toContain(findings[0]?.code);
    const found = report.findings.map(({ code }) => code);
    for (const code of situation.also ?? []) expect(found, shown.join('\n')).toContain(code);
  },
);

test('the healthy shop has no finding, live and in the packets that are kept', async () => {
  const file = join(directory, 'healthy.pcapng');
  const ksnoop = new KsnoopProcess(
    ['diagnose', 'svc/web', 'deploy/client', '-n', 'shop', '--json', '--duration', '600s', '-w', file],
    on.kubeconfig,
  );
  await ksnoop.capturing(4);
  const { answered } = await requests(on, { n: 100, run: 'healthy', paths: 'ok' });
  const { findings, targets, exchanges } = reportOf(await ksnoop.stop());
  expect(findings.filter(({ code }) => !OF_BUSY_MACHINES.has(code))).toEqual([]);
  expect(targets.length).toBeGreaterThanOrEqual(4);
  expect(exchanges).toBeGreaterThanOrEqual(answered);
  const kept = reportOf(await new KsnoopProcess(['diagnose', file, '--json'], '/nowhere').finished());
  expect(kept.findings.filter(({ code }) => !OF_BUSY_MACHINES.has(code))).toEqual([]);
  expect(kept.exchanges).toBe(exchanges);
});

test('--fail-on ends with exit code 6', async () => {
  const name = nameOf(SITUATIONS.find(({ title }) => title === 'no endpoints') as Situation);
  const words = ['diagnose', `svc/${name}`, '-n', namespace, '--fail-on', 'SERVICE_NO_ENDPOINTS', '--duration', '3s'];
  const { code, stdout, stderr } = await new KsnoopProcess(words, on.kubeconfig).finished();
  expect(code, stderr).toBe(6);
  expect(stderr).toContain(`found: ${name}.${namespace} has no endpoint that is ready`);
  expect(stdout.toString()).toContain('[SERVICE_NO_ENDPOINTS]');
});
