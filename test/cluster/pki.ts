import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { API_SERVICE_ADDRESS, CONTROL_PLANE_ADDRESS, type Layout } from './layout.ts';
import { run } from './run.ts';

/** Longer than any cluster of this kind is kept. */
const DAYS = '365';

interface Wanted {
  readonly file: string;
  /** What Kubernetes takes as the user. */
  readonly name: string;
  /** What Kubernetes takes as the group. */
  readonly group?: string;
  readonly hosts?: readonly string[];
}

const API_HOSTS = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
  '127.0.0.1',
  API_SERVICE_ADDRESS,
  CONTROL_PLANE_ADDRESS,
];

/** Certificates and keys of one instance, made once by openssl. `ca` signs all of them. */
export async function ensurePki(layout: Layout): Promise<void> {
  mkdirSync(layout.pki, { recursive: true, mode: 0o700 });
  if (existsSync(join(layout.pki, 'complete'))) return;
  await certificate(layout, { file: 'ca', name: 'ksnoop-test-cluster' });
  await certificate(layout, { file: 'front-proxy-ca', name: 'ksnoop-test-cluster-front-proxy' });
  const wanted: Wanted[] = [
    { file: 'apiserver', name: 'kube-apiserver', hosts: API_HOSTS },
    { file: 'apiserver-kubelet', name: 'kube-apiserver-kubelet', group: 'system:masters' },
    { file: 'admin', name: 'admin', group: 'system:masters' },
    { file: 'controller-manager', name: 'system:kube-controller-manager' },
    { file: 'scheduler', name: 'system:kube-scheduler' },
    { file: 'kube-proxy', name: 'system:kube-proxy' },
    ...layout.nodes.flatMap(({ name, address }) => [
      { file: `kubelet-${name}`, name: `system:node:${name}`, group: 'system:nodes' },
      { file: `kubelet-serving-${name}`, name, hosts: [name, address] },
    ]),
  ];
  await Promise.all([
    ...wanted.map((one) => certificate(layout, one, 'ca')),
    certificate(layout, { file: 'front-proxy', name: 'front-proxy' }, 'front-proxy-ca'),
  ]);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(keyOf(layout, 'service-account'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(join(layout.pki, 'service-account.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  writeFileSync(join(layout.pki, 'complete'), '');
}

async function certificate(layout: Layout, wanted: Wanted, authority?: string): Promise<void> {
  const subject = `${wanted.group === undefined ? '' : `/O=${wanted.group}`}/CN=${wanted.name}`;
  const names = (wanted.hosts ?? []).map((host) => (/^[\d.]+$/.test(host) ? `IP:${host}` : `DNS:${host}`));
  const signer =
    authority === undefined
      ? ['-addext', 'keyUsage=critical,keyCertSign,cRLSign']
      : [
          ...['-CA', certificateOf(layout, authority), '-CAkey', keyOf(layout, authority)],
          ...['-addext', 'basicConstraints=critical,CA:FALSE'],
          ...['-addext', `extendedKeyUsage=${names.length > 0 ? 'serverAuth' : 'clientAuth'}`],
        ];
  await run([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', DAYS],
    ...['-keyout', keyOf(layout, wanted.file), '-out', certificateOf(layout, wanted.file), '-subj', subject],
    ...(names.length > 0 ? ['-addext', `subjectAltName=${names.join(',')}`] : []),
    ...signer,
  ]);
}

export const certificateOf = (layout: Layout, file: string) => join(layout.pki, `${file}.crt`);
export const keyOf = (layout: Layout, file: string) => join(layout.pki, `${file}.key`);

/** A kubeconfig that carries its certificates, so that it can be read from any directory and any mount namespace. */
export function kubeconfigOf(layout: Layout, file: string, server: string): string {
  const data = (path: string) => readFileSync(path).toString('base64');
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'ksnoop-test',
      contexts: [{ name: 'ksnoop-test', context: { cluster: 'ksnoop-test', user: file } }],
      clusters: [
        { name: 'ksnoop-test', cluster: { server, 'certificate-authority-data': data(certificateOf(layout, 'ca')) } },
      ],
      users: [
        {
          name: file,
          user: {
            'client-certificate-data': data(certificateOf(layout, file)),
            'client-key-data': data(keyOf(layout, file)),
          },
        },
      ],
    },
    null,
    2,
  );
}
