import type { FieldTable, FieldType } from '../protocols/protocol.ts';

/** A field, and an expression that uses it. */
export interface FieldExample {
  readonly path: string;
  readonly type: FieldType;
  readonly about: string;
  readonly expression: string;
}

/** Expressions for the fields that are used most, and for those whose type does not suggest a value. */
const EXPRESSIONS: Readonly<Record<string, string>> = {
  time: 'time >= timestamp("2026-07-02T14:03:07Z")',
  protocol: 'protocol in ["http", "grpc"]',
  'src.ip': 'src.ip.startsWith("10.244.")',
  'src.port': 'src.port > 1023',
  'src.mac': 'src.mac == "02:42:ac:11:00:02"',
  'src.pod': 'src.pod.startsWith("client-")',
  'src.service': 'src.service == "web"',
  'src.namespace': 'src.namespace == "shop"',
  'src.node': 'src.node == "worker-1"',
  'src.name': 'src.name.endsWith(".example.com")',
  'src.cluster': 'src.cluster == "staging"',
  'dst.ip': 'dst.ip == "10.96.0.10"',
  'dst.port': 'dst.port in [80, 8080]',
  'dst.mac': 'dst.mac == "ff:ff:ff:ff:ff:ff"',
  'dst.pod': 'dst.pod == "web-1"',
  'dst.service': 'dst.service == "web" && dst.namespace == "shop"',
  'dst.namespace': 'dst.namespace != "kube-system"',
  'dst.node': 'dst.node == "worker-1"',
  'dst.name': 'dst.name == "db.example.com"',
  'dst.cluster': 'dst.cluster == "staging"',
  latency: 'latency > duration("200ms")',
  ttfb: 'ttfb > duration("50ms")',
  requestBytes: 'requestBytes > 1000000',
  responseBytes: 'responseBytes > 1000000',
  failed: 'failed && dst.service == "web"',
  incomplete: 'incomplete != ""',
  label: 'label.contains("/cart")',
  route: 'route.startsWith("POST ")',
  flow: 'flow == 7',
  duration: 'duration > duration("1m")',
  'tcp.mss': 'tcp.mss[0] < 1400',
  'tcp.windowScale': 'tcp.windowScale[1] == 0',
  'http.path': 'http.path.startsWith("/cart")',
  'http.host': 'http.host == "shop.example.com"',
  'http.status': 'http.status >= 500',
  'http.reason': 'http.reason == "Not Found"',
  'http.contentType': 'http.contentType.startsWith("application/json")',
  'http.interim': '100 in http.interim',
  'http.userAgent': '!http.userAgent.startsWith("kube-probe/")',
  'http.requestId': 'http.requestId == "6f1c"',
  'http.traceparent': 'http.traceparent.contains("4bf92f3577b34da6")',
  'http.requestHeaders': 'http.requestHeaders["accept"].contains("json")',
  'http.responseHeaders': 'has(http.responseHeaders.server)',
  'grpc.message': 'grpc.message.contains("deadline")',
  'tls.sni': 'tls.sni.endsWith(".example.com")',
  'tls.ja4': 'tls.ja4.startsWith("t13d")',
  'tls.alpnOffered': '"h2" in tls.alpnOffered',
  'tls.supportedVersions': '!("TLS1.3" in tls.supportedVersions)',
  'tls.notAfter': 'tls.notAfter < timestamp("2026-12-31T00:00:00Z")',
  'tls.certificates': 'tls.certificates.exists(c, c.issuer.contains("staging"))',
  'tls.clientCertificates': 'size(tls.clientCertificates) > 0',
  'dns.name': 'dns.name.endsWith(".svc.cluster.local")',
  'dns.retransmissions': 'dns.retransmissions > 0',
  'dns.questions': 'size(dns.questions) > 1',
  'dns.answers': 'dns.answers.exists(a, a.data == "10.96.0.10")',
  'dns.authority': 'dns.authority.exists(a, a.type == "SOA")',
  'dns.additional': 'size(dns.additional) > 0',
  'dns.edns': 'dns.edns.udpSize < 1232',
  'dns.requestEdns': 'has(dns.requestEdns.cookie)',
  'kafka.topics': '"orders" in kafka.topics',
  'kafka.error': 'has(kafka.error)',
  'kafka.errorCode': 'kafka.errorCode != 0',
  'redis.key': 'redis.key.startsWith("cart:")',
  'redis.error': 'has(redis.error)',
  'sql.statement': 'sql.statement.startsWith("SELECT")',
  'sql.error': 'has(sql.error)',
  'memcached.key': 'memcached.key.startsWith("session:")',
  'smtp.code': 'smtp.code >= 400',
  'fastcgi.status': 'fastcgi.status >= 500',
  'dubbo.exception': 'has(dubbo.exception)',
  'connect.port': 'connect.port == 443',
  'quic.versions': '"1" in quic.versions',
  'icmp.from': 'icmp.from == "10.0.0.1"',
};

/** Every field with its type, what it is, and an expression that uses it, in the order of the table. */
export function fieldExamples(fields: FieldTable): FieldExample[] {
  return Object.entries(fields).map(([path, { type, about }]) => {
    const known = Object.hasOwn(EXPRESSIONS, path) ? EXPRESSIONS[path] : undefined;
    return { path, type, about, expression: known ?? expressionOf(path, type, about) };
  });
}

/** By the type, and by the first value that the description names: `kind` is `exchange`. */
function expressionOf(path: string, type: FieldType, about: string): string {
  switch (type) {
    case 'int':
      return `${path} > 0`;
    case 'bool':
      return path;
    case 'duration':
      return `${path} > duration("200ms")`;
    case 'timestamp':
      return `${path} >= timestamp("2026-07-02T14:03:07Z")`;
    case 'list':
      return `size(${path}) > 0`;
    case 'map':
      return `has(${path})`;
    case 'string': {
      const value = /`([^`{}…]+)`/.exec(about)?.[1];
      return value === undefined ? `has(${path})` : `${path} == ${JSON.stringify(value)}`;
    }
  }
}
