// Writes what both sidecars are configured with, as Istio would: envoy.ts DIRECTORY http1|http2|tcp TLS_VERSION ADDRESS [RUN_DIRECTORY]
// ADDRESS is the server's or a name that stands for several; certificates are read in RUN_DIRECTORY; keys are written without it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [directory = '', mode = '', version = '', web = '', runDirectory = directory] = process.argv.slice(2);

const OFFERED: Readonly<Record<string, readonly string[]>> = {
  http1: ['istio-http/1.1', 'istio', 'http/1.1'],
  http2: ['istio-h2', 'istio', 'h2'],
  tcp: ['istio-peer-exchange', 'istio'],
};
const ACCEPTED = ['istio-peer-exchange', 'h2', 'http/1.1'];

const type = (name: string) => ({ '@type': `type.googleapis.com/envoy.extensions.${name}` });
const address = (host: string, port: number) => ({ socket_address: { address: host, port_value: port } });
const file = (name: string) => ({ filename: join(runDirectory, name) });

/** Passes a connection, or its requests, on to a cluster. */
function filters(cluster: string): object[] {
  if (mode === 'tcp') {
    const config = { ...type('filters.network.tcp_proxy.v3.TcpProxy'), stat_prefix: cluster, cluster };
    return [{ name: 'envoy.filters.network.tcp_proxy', typed_config: config }];
  }
  const routes = [{ match: { prefix: '/' }, route: { cluster, timeout: '0s' } }];
  const config = {
    ...type('filters.network.http_connection_manager.v3.HttpConnectionManager'),
    stat_prefix: cluster,
    server_name: 'istio-envoy',
    route_config: { virtual_hosts: [{ name: 'any', domains: ['*'], routes }] },
    http_filters: [{ name: 'envoy.filters.http.router', typed_config: type('filters.http.router.v3.Router') }],
  };
  return [{ name: 'envoy.filters.network.http_connection_manager', typed_config: config }];
}

function listener(name: string, port: number, chain: object) {
  const original = type('filters.listener.original_dst.v3.OriginalDst');
  return {
    name,
    address: address('0.0.0.0', port),
    listener_filters: [{ name: 'envoy.filters.listener.original_dst', typed_config: original }],
    filter_chains: [chain],
  };
}

const common = (who: string, alpn: readonly string[] | undefined) => ({
  alpn_protocols: alpn,
  tls_params: { tls_minimum_protocol_version: 'TLSv1_2', tls_maximum_protocol_version: version },
  tls_certificates: [{ certificate_chain: file(`${who}.pem`), private_key: file(`${who}.key`) }],
  validation_context: { trusted_ca: file('ca.pem') },
});

/** Only where it can be written. */
const keyLog = runDirectory === directory ? { key_log: { path: join(directory, 'keys/client.log') } } : {};

const upstreamProtocol = mode === 'http2' ? { http2_protocol_options: {} } : { http_protocol_options: {} };
const outbound = {
  listeners: [listener('virtualOutbound', 15001, { filters: filters('web') })],
  clusters: [
    {
      name: 'web',
      type: /^[\d.]+$/.test(web) ? 'STATIC' : 'STRICT_DNS',
      dns_lookup_family: 'V4_ONLY',
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          ...type('upstreams.http.v3.HttpProtocolOptions'),
          explicit_http_config: upstreamProtocol,
        },
      },
      load_assignment: {
        cluster_name: 'web',
        endpoints: [{ lb_endpoints: [{ endpoint: { address: address(web, 8080) } }] }],
      },
      transport_socket: {
        name: 'tls',
        typed_config: {
          ...type('transport_sockets.tls.v3.UpstreamTlsContext'),
          sni: 'outbound_.80_._.web.shop.svc.cluster.local',
          common_tls_context: { ...common('client', OFFERED[mode]), ...keyLog },
        },
      },
    },
  ],
};
const inbound = {
  listeners: [
    listener('virtualInbound', 15006, {
      filters: filters('app'),
      transport_socket: {
        name: 'tls',
        typed_config: {
          ...type('transport_sockets.tls.v3.DownstreamTlsContext'),
          require_client_certificate: true,
          common_tls_context: common('web', ACCEPTED),
        },
      },
    }),
  ],
  clusters: [
    {
      name: 'app',
      type: 'ORIGINAL_DST',
      lb_policy: 'CLUSTER_PROVIDED',
      upstream_bind_config: { source_address: { address: '127.0.0.6', port_value: 0 } },
    },
  ],
};
for (const [name, resources] of Object.entries({ outbound, inbound })) {
  writeFileSync(join(directory, `${name}.json`), JSON.stringify({ static_resources: resources }));
}
