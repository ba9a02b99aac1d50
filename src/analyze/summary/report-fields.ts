import type { FieldTable } from '../protocols/protocol.ts';

const counts = (rows: string) =>
  ({
    [`${rows}.count`]: { type: 'int', about: 'exchanges' },
    [`${rows}.rate`]: { type: 'int', about: 'exchanges per second of the whole capture' },
    [`${rows}.failed`]: { type: 'int', about: 'of which failed' },
    [`${rows}.requestBytes`]: { type: 'int', about: 'bytes of the requests' },
    [`${rows}.responseBytes`]: { type: 'int', about: 'bytes of the responses' },
    ...percentiles(`${rows}.latency`, 'latency of complete ones'),
  }) satisfies FieldTable;

const stats = (rows: string) =>
  ({
    [`${rows}.incomplete`]: { type: 'int', about: 'of which a part is missing' },
    ...counts(rows),
    ...percentiles(`${rows}.ttfb`, 'to the first byte of the response'),
    ...percentiles(`${rows}.serverTime`, 'last byte of the request to first byte of the response'),
    ...missed(rows),
  }) satisfies FieldTable;

function missed(rows: string): FieldTable {
  return {
    [`${rows}.missed`]: { type: 'int', about: 'of `ksnoop merge`: so many more at most are counted in `other`' },
  };
}

function percentiles(path: string, what: string): FieldTable {
  return {
    [`${path}.count`]: { type: 'int', about: `${what}: of how many` },
    [`${path}.p50`]: { type: 'duration', about: 'median, within 1.1 %' },
    [`${path}.p90`]: { type: 'duration', about: '90 % took no longer, within 1.1 %' },
    [`${path}.p99`]: { type: 'duration', about: '99 % took no longer, within 1.1 %' },
    [`${path}.max`]: { type: 'duration', about: 'longest, exact' },
    [`${path}.mean`]: { type: 'duration', about: 'mean, exact' },
  };
}

const tcp = (path: string) =>
  ({
    [`${path}.connections`]: { type: 'int', about: 'TCP connections' },
    [`${path}.midstream`]: { type: 'int', about: 'of which began before the capture' },
    [`${path}.refused`]: { type: 'int', about: 'of which were refused' },
    [`${path}.unanswered`]: { type: 'int', about: 'of which no answer came' },
    [`${path}.resetByClient`]: { type: 'int', about: 'of which the client reset' },
    [`${path}.resetByServer`]: { type: 'int', about: 'of which the server reset, refusals not counted' },
    [`${path}.retransmissions`]: { type: 'int', about: 'retransmitted segments, both directions' },
    [`${path}.fastRetransmissions`]: { type: 'int', about: 'of those, after three duplicate ACKs' },
    [`${path}.timeoutRetransmissions`]: { type: 'int', about: 'of those, after a timeout' },
    [`${path}.spuriousRetransmissions`]: {
      type: 'int',
      about: 'of those, spurious: of bytes that were acknowledged already',
    },
    [`${path}.outOfOrder`]: { type: 'int', about: 'segments that came late' },
    [`${path}.duplicateAcks`]: { type: 'int', about: 'duplicate ACKs' },
    [`${path}.keepAlives`]: { type: 'int', about: 'keep-alive probes' },
    [`${path}.zeroWindows`]: { type: 'int', about: 'segments that announced a zero window' },
    [`${path}.windowFull`]: { type: 'int', about: 'segments that filled the window of the other side' },
    [`${path}.lost`]: { type: 'int', about: 'bytes that were never captured' },
    [`${path}.bytes`]: { type: 'int', about: 'bytes on the wire, both directions' },
    ...percentiles(`${path}.handshake`, 'setup: first SYN to the last ACK of the handshake'),
  }) satisfies FieldTable;

/** Members of the summary's JSON document; `[]` stands for each row of a list, most frequent first. */
export const SUMMARY_FIELDS: FieldTable = {
  v: { type: 'int', about: 'version of the report format' },
  kind: { type: 'string', about: '`summary`' },
  time: { type: 'timestamp', about: 'of the first packet' },
  duration: { type: 'duration', about: 'first packet to last packet' },
  'sample.share': {
    type: 'int',
    about:
      'only where agents could not keep up with `--edge`, and all counts are of a sample: packets they analysed of all that came while they left out connections, 0 to 1',
  },
  'sample.since': { type: 'timestamp', about: 'when the first of them began to leave out connections' },
  'sample.until': { type: 'timestamp', about: 'when the last of them had caught up; left out where one had not' },
  'sample.nodes': { type: 'list', about: 'their nodes' },
  flows: { type: 'map', about: 'flows by transport: `{"tcp": 12, "udp": 3}`' },
  'services[].service': {
    type: 'string',
    about: 'Service, else pod, name or address of the server; `other` past a bound',
  },
  'services[].protocol': {
    type: 'string',
    about:
      'protocol; `tcp` for connections, where some failed before any exchange (refused, unanswered, reset by the server): `count` of all that began in the capture, `latency` of their setup, bytes of their packets',
  },
  ...stats('services[]'),
  'pods[].pod': { type: 'string', about: 'pod that answered: `shop/web-1`' },
  'pods[].service': { type: 'string', about: 'its Service, where that is known' },
  'pods[].protocol': { type: 'string', about: 'protocol; empty for a captured pod without traffic' },
  ...stats('pods[]'),
  'callers[].client': {
    type: 'string',
    about:
      'who asks: Service, Deployment (by the name of its pod), pod, name or address; `kubelet`; `other` past a bound',
  },
  'callers[].service': { type: 'string', about: 'whom: as above' },
  'callers[].protocol': { type: 'string', about: 'protocol, as above' },
  ...counts('callers[]'),
  ...missed('callers[]'),
  'routes[].service': { type: 'string', about: 'as above' },
  'routes[].protocol': { type: 'string', about: 'protocol' },
  'routes[].route': {
    type: 'string',
    about: 'the request without the parts that differ each time; `other` past a bound',
  },
  ...stats('routes[]'),
  'routes[].statuses': {
    type: 'map',
    about:
      'how often which status came, by its code alone, or why there is none: `{"200": 12, "503": 1, "reset by server": 1}`',
  },
  'dns[].type': { type: 'string', about: 'query type: `A`' },
  'dns[].name': { type: 'string', about: 'query name; `other` past a bound' },
  ...stats('dns[]'),
  'dns[].rcodes': {
    type: 'map',
    about: 'how often which answer came, or why none did: `{"NOERROR": 5, "no response": 2}`',
  },
  'tls[].sni': { type: 'string', about: 'server name in the ClientHello; `other` past a bound' },
  'tls[].version': { type: 'string', about: 'version agreed on' },
  'tls[].statuses': { type: 'map', about: 'what came of the handshakes: `{"TLS1.3": 5, "unknown_ca": 1}`' },
  ...stats('tls[]'),
  'grpc[].service': { type: 'string', about: 'as above' },
  'grpc[].method': { type: 'string', about: 'gRPC method' },
  ...stats('grpc[]'),
  'grpc[].statuses': { type: 'map', about: 'how often which gRPC status came' },
  'messages[].protocol': { type: 'string', about: 'protocol of one-way messages' },
  'messages[].count': { type: 'int', about: 'how many' },
  'messages[].bytes': { type: 'int', about: 'their bytes' },
  'events[].protocol': { type: 'string', about: 'protocol of an event' },
  'events[].code': { type: 'string', about: 'what happened: `TCP_RESET`' },
  'events[].failed': { type: 'bool', about: 'whether it counts as a failure' },
  'events[].count': { type: 'int', about: 'how often' },
  ...tcp('tcp'),
  'tcp.servers[].server': { type: 'string', about: 'Service, pod, name or address; `other` past a bound' },
  'tcp.servers[].port': { type: 'int', about: 'its port; 0 in `other`' },
  ...tcp('tcp.servers[]'),
  ...missed('tcp.servers[]'),
  'tcp.worst': {
    type: 'list',
    about: 'the 10 connections with the most trouble, worst first: records of flows as above',
  },
};
