import { connect } from 'node:net';
import type { Kube } from '../kube/kube.ts';
import { OWN_ADDRESS_MS } from '../limits.ts';

/** Where API servers listen whatever stands before them (k8s.io/kubernetes/cmd/kubeadm). */
const API_SERVER_PORT = 6443;

/**
 * What a capture of a node's network that the API server runs on must leave out: the connection over which the capture
 * itself comes here would be its own food.
 * @returns a filter (pcap-filter(7)) for this machine's connections to the API server; undefined when another address than
 * ours is seen there for certain (a proxy), or when it is not known
 */
export async function ownConnectionFilter(kube: Kube): Promise<string | undefined> {
  if (kube.proxy !== undefined) return undefined;
  const { hostname, port, protocol } = kube.server;
  const number = port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port);
  const address = await localAddress(hostname.replace(/^\[|\]$/g, ''), number);
  if (address === undefined) return undefined;
  const ports = [...new Set([number, API_SERVER_PORT])].map((each) => `tcp port ${each}`).join(' or ');
  return `host ${address} and (${ports})`;
}

/** The address from which a host is reached. */
function localAddress(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (address: string | undefined) => {
      socket.destroy();
      resolve(address?.replace(/^::ffff:/, ''));
    };
    socket.setTimeout(OWN_ADDRESS_MS, () => end(undefined));
    socket.on('error', () => end(undefined));
    socket.on('connect', () => end(socket.localAddress));
  });
}
