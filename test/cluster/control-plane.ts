import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readyz } from './api.ts';
import { program } from './builds.ts';
import { API_PORT, CONTROL_PLANE_ADDRESS, type Layout, PREFERRED_HOST_PORT, SERVICE_CIDR } from './layout.ts';
import { controlPlaneNetwork } from './network.ts';
import { ensurePart, waitFor } from './parts.ts';
import { certificateOf, keyOf, kubeconfigOf } from './pki.ts';
import { kill, type Part, recorded } from './processes.ts';

const ETCD = 'http://127.0.0.1:2379';
/** Beyond the users of distributions, and below the numbers that containers get of a machine's subordinate users. */
const USERS = { first: 70_000, count: 20_000 } as const;

const inside = (layout: Layout, name: string, argv: readonly string[]): Part => ({
  name,
  argv: ['nsenter', `--net=${controlPlaneNetwork(layout)}`, '--', ...argv],
});

/**
 * As a user of the cluster's own, who may read root's files: the kernel bounds the inotify instances of a user
 * (/proc/sys/fs/inotify/max_user_instances, often 128), and the API server and the controllers have 13 of a cluster's 29. Where all are
 * root's, the fifth cluster of a machine cannot start its nodes.
 */
const asOwnUser = (layout: Layout, name: string, argv: readonly string[]): Part =>
  inside(layout, name, [
    ...['setpriv', `--reuid=${userOf(layout)}`, '--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'],
    ...argv,
  ]);

/** A number that no user of the machine has, from the cluster's name. */
function userOf({ name }: Layout): number {
  return USERS.first + (createHash('sha256').update(name).digest().readUInt32BE() % USERS.count);
}

/** etcd, then the API server, then the way to it from the machine; returns when the API server says it is ready. */
export async function ensureApiServer(layout: Layout): Promise<void> {
  await ensurePart(layout, etcd(layout));
  const port = await ensureKubeconfig(layout);
  // A socket file that nobody listens on any more refuses; socat makes it anew.
  await ensurePart(
    layout,
    inside(layout, 'api-inside', [
      ...['socat', '-b', '131072', `UNIX-LISTEN:${layout.apiSocket},fork,unlink-early,mode=600,backlog=128`],
      `TCP:${CONTROL_PLANE_ADDRESS}:${API_PORT},nodelay`,
    ]),
    async () => existsSync(layout.apiSocket),
  );
  await ensurePart(layout, {
    name: 'api-outside',
    argv: [
      ...['socat', '-b', '131072', `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=128`],
      `UNIX-CONNECT:${layout.apiSocket}`,
    ],
  });
  writeAuditPolicy(layout);
  await ensurePart(layout, apiServer(layout), () => readyz(layout));
}

/** The controllers and the scheduler: only once the API server is ready, or they give up and end. */
export async function ensureControllers(layout: Layout): Promise<void> {
  for (const file of ['controller-manager', 'scheduler']) {
    const kubeconfig = kubeconfigOf(layout, file, `https://${CONTROL_PLANE_ADDRESS}:${API_PORT}`);
    writeFileSync(join(layout.pki, `${file}.kubeconfig`), kubeconfig, { mode: 0o600 });
  }
  await ensurePart(layout, controllerManager(layout));
  await ensurePart(layout, scheduler(layout));
}

function etcd(layout: Layout): Part {
  return inside(layout, 'etcd', [
    'etcd',
    `--data-dir=${join(layout.state, 'etcd')}`,
    '--logger=zap',
    '--log-outputs=stderr',
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--snapshot-count=10000',
  ]);
}

function apiServer(layout: Layout): Part {
  const pair = (file: string) => [certificateOf(layout, file), keyOf(layout, file)] as const;
  const [certificate, key] = pair('apiserver');
  const [kubeletCertificate, kubeletKey] = pair('apiserver-kubelet');
  const [proxyCertificate, proxyKey] = pair('front-proxy');
  return asOwnUser(layout, 'kube-apiserver', [
    program('kube-apiserver'),
    `--etcd-servers=${ETCD}`,
    `--secure-port=${API_PORT}`,
    `--advertise-address=${CONTROL_PLANE_ADDRESS}`,
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--audit-policy-file=${join(layout.state, 'audit-policy.json')}`,
    `--audit-log-path=${auditLog(layout)}`,
    '--audit-log-maxsize=10',
    '--audit-log-maxbackup=1',
    '--allow-privileged=true',
    '--enable-aggregator-routing=true',
    `--cert-dir=${layout.pki}`,
    `--tls-cert-file=${certificate}`,
    `--tls-private-key-file=${key}`,
    `--client-ca-file=${certificateOf(layout, 'ca')}`,
    `--kubelet-certificate-authority=${certificateOf(layout, 'ca')}`,
    `--kubelet-client-certificate=${kubeletCertificate}`,
    `--kubelet-client-key=${kubeletKey}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--requestheader-client-ca-file=${certificateOf(layout, 'front-proxy-ca')}`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${proxyCertificate}`,
    `--proxy-client-key-file=${proxyKey}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${join(layout.pki, 'service-account.pub')}`,
    `--service-account-signing-key-file=${keyOf(layout, 'service-account')}`,
  ]);
}

/** Where the API server writes who did what with Captures, and who reached agents: a JSON line for each request. */
export function auditLog(layout: Layout): string {
  return join(layout.logs, 'audit.log');
}

/** @see https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/ */
function writeAuditPolicy(layout: Layout): void {
  const rule = (group: string, resource: string, ...verbs: string[]) => ({
    level: 'Metadata',
    verbs,
    omitStages: ['RequestReceived', 'ResponseStarted'],
    resources: [{ group, resources: [resource] }],
  });
  const rules = [
    rule('ksnoop.io', 'captures', 'create', 'delete'),
    rule('', 'pods/portforward', 'create', 'get'),
    { level: 'None' },
  ];
  const policy = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules };
  writeFileSync(join(layout.state, 'audit-policy.json'), JSON.stringify(policy));
}

function controllerManager(layout: Layout): Part {
  const kubeconfig = join(layout.pki, 'controller-manager.kubeconfig');
  return asOwnUser(layout, 'kube-controller-manager', [
    program('kube-controller-manager'),
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${layout.pki}`,
    '--leader-elect=false',
    '--use-service-account-credentials=true',
    '--allocate-node-cidrs=false',
    `--service-cluster-ip-range=${SERVICE_CIDR}`,
    `--service-account-private-key-file=${keyOf(layout, 'service-account')}`,
    `--root-ca-file=${certificateOf(layout, 'ca')}`,
    `--cluster-signing-cert-file=${certificateOf(layout, 'ca')}`,
    `--cluster-signing-key-file=${keyOf(layout, 'ca')}`,
    // With its own defaults a fresh cluster's default ServiceAccount takes 5 s, and pods are refused before.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    `--flex-volume-plugin-dir=${join(layout.state, 'flex-volume')}`,
  ]);
}

function scheduler(layout: Layout): Part {
  const kubeconfig = join(layout.pki, 'scheduler.kubeconfig');
  return asOwnUser(layout, 'kube-scheduler', [
    program('kube-scheduler'),
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    `--cert-dir=${layout.pki}`,
    '--leader-elect=false',
  ]);
}

/** The admin's kubeconfig and the port of the machine it points to, chosen once per instance. */
async function ensureKubeconfig(layout: Layout): Promise<number> {
  const file = join(layout.state, 'port');
  if (!existsSync(file)) writeFileSync(file, String(await freePort()));
  const port = Number(readFileSync(file, 'utf8'));
  rmSync(`${layout.kubeconfig}.new`, { force: true });
  writeFileSync(layout.kubeconfig, kubeconfigOf(layout, 'admin', `https://127.0.0.1:${port}`), { mode: 0o600 });
  return port;
}

async function freePort(): Promise<number> {
  return (await canListen(PREFERRED_HOST_PORT)) ?? (await canListen(0)) ?? PREFERRED_HOST_PORT;
}

function canListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}

/** Kills the API server as a crash would (SIGKILL) and starts it again with the same state. */
export async function restartApiServer(layout: Layout): Promise<void> {
  const running = recorded(layout, 'kube-apiserver');
  if (running !== undefined) kill(running.pid);
  await waitFor('the end of the API server', async () => recorded(layout, 'kube-apiserver') === undefined);
  await ensureApiServer(layout);
}
