import type { FieldTable } from '../protocols/protocol.ts';

/** Version of the records' form, their `v`: counts up when a member changes its meaning or goes away, not when one joins. */
export const RECORD_VERSION = 1;

const peer = (who: string, names: string) =>
  ({
    [`${names}.ip`]: { type: 'string', about: `IP address of ${who} (RFC 5952)` },
    [`${names}.port`]: { type: 'int', about: 'TCP, UDP or SCTP port' },
    [`${names}.mac`]: { type: 'string', about: 'MAC address, only for packets without an IP address' },
    [`${names}.pod`]: { type: 'string', about: 'pod that had the address at that time' },
    [`${names}.service`]: { type: 'string', about: 'Service that has the address, or that the pod is known to serve' },
    [`${names}.namespace`]: { type: 'string', about: 'namespace of the pod or Service' },
    [`${names}.node`]: { type: 'string', about: 'node that has the address, or on which the pod runs' },
    [`${names}.name`]: {
      type: 'string',
      about: 'another name of the address: from the capture or a DNS answer in it',
    },
    [`${names}.cluster`]: { type: 'string', about: 'context of the cluster, in a capture of several' },
  }) satisfies FieldTable;

/** Members that every record may have, in their order. */
export const COMMON_FIELDS: FieldTable = {
  v: { type: 'int', about: `version of the record format: ${RECORD_VERSION}` },
  time: { type: 'timestamp', about: 'time of the first packet, in UTC with nanoseconds (RFC 3339)' },
  kind: { type: 'string', about: '`exchange`, `message`, `event`, `flow` or `packet`' },
  protocol: { type: 'string', about: 'innermost protocol that was recognised, in lower case' },
  ...peer('the client of an exchange, event or flow, the sender of a message or packet', 'src'),
  ...peer('the other side', 'dst'),
};

/** Members of exchanges, messages and events, behind the common ones. */
export const EVENT_FIELDS: FieldTable = {
  latency: { type: 'duration', about: 'first byte of the request to last byte of the response' },
  ttfb: { type: 'duration', about: 'first byte of the request to first byte of the response' },
  requestTime: { type: 'duration', about: 'first to last byte of the request' },
  serverTime: { type: 'duration', about: 'last byte of the request to first byte of the response' },
  transferTime: { type: 'duration', about: 'first to last byte of the response' },
  requestBytes: { type: 'int', about: 'bytes of the request, or of the message' },
  responseBytes: { type: 'int', about: 'bytes of the response that were seen' },
  declaredBytes: { type: 'int', about: 'bytes of the whole response, as its head or its first bytes announced' },
  status: { type: 'string', about: 'the result, for people: `200`, `NXDOMAIN`' },
  failed: { type: 'bool', about: 'whether it counts as failed: a server error, or no response' },
  incomplete: {
    type: 'string',
    about:
      'what is missing or not proven: `request not seen`, `request not captured`, `response not captured`, `capture ended`, `reset`, `closed early`, `timed out`, `no response`, `unknown`',
  },
  endedBy: { type: 'string', about: '`client` or `server`: who ended the connection within the exchange' },
  label: { type: 'string', about: 'the request, message or event in a line, secrets masked: `GET /cart`' },
  route: { type: 'string', about: 'the group that the summary counts it in' },
  code: { type: 'string', about: 'code of an event, stable across versions: `TCP_RESET`' },
  by: {
    type: 'string',
    about: 'which side caused an event: `client` or `server`; `src` of an event is always the client',
  },
  position: {
    type: 'int',
    about: 'for `PROTOCOL_LOST`: offset in the stream of `src` of the first byte that was not understood',
  },
  flow: { type: 'int', about: 'number of the flow; flows are numbered from 0 in the order of their first packets' },
  sameAs: {
    type: 'int',
    about:
      'number of an earlier flow that is the same connection on the other side of address translation (a Service); the summary counts that one only',
  },
  sample: {
    type: 'int',
    about: 'with `--edge`, where the agent could not keep up: it analysed one of so many connections then, `4`',
  },
  interface: { type: 'string', about: 'interface where its first packet was captured: `shop/web-1/any`' },
};

const direction = (side: string) =>
  ({
    [`${side}.packets`]: {
      type: 'int',
      about: `packets of the ${side}; duplicates captured at a second place left out`,
    },
    [`${side}.bytes`]: { type: 'int', about: `bytes of the ${side} on the wire, from the IP header on` },
    [`${side}.payload`]: { type: 'int', about: `payload bytes of the ${side}, above TCP or UDP` },
  }) satisfies FieldTable;

const tcpDirection = (side: string) =>
  ({
    [`tcp.${side}.retransmissions`]: { type: 'int', about: `retransmitted segments of the ${side}` },
    [`tcp.${side}.fastRetransmissions`]: {
      type: 'int',
      about: `retransmitted segments of the ${side} after three duplicate ACKs`,
    },
    [`tcp.${side}.timeoutRetransmissions`]: {
      type: 'int',
      about: `retransmitted segments of the ${side} after a timeout`,
    },
    [`tcp.${side}.spuriousRetransmissions`]: {
      type: 'int',
      about: `retransmitted segments of the ${side} whose bytes were already acknowledged`,
    },
    [`tcp.${side}.outOfOrder`]: { type: 'int', about: `out-of-order segments of the ${side}` },
    [`tcp.${side}.duplicateAcks`]: { type: 'int', about: `duplicate ACKs of the ${side}` },
    [`tcp.${side}.keepAlives`]: { type: 'int', about: `keep-alive probes of the ${side}` },
    [`tcp.${side}.zeroWindows`]: { type: 'int', about: `segments of the ${side} that announce a zero window` },
    [`tcp.${side}.windowFull`]: {
      type: 'int',
      about: `segments of the ${side} that fill the window of the other side`,
    },
    [`tcp.${side}.lost`]: { type: 'int', about: `bytes of the ${side} that were not captured` },
  }) satisfies FieldTable;

const rtt = (side: 'client' | 'server') =>
  ({
    [`tcp.rtt.${side}.minimum`]: {
      type: 'duration',
      about: `smallest round trip between the point of capture and the ${side}: data to its ACK`,
    },
    [`tcp.rtt.${side}.mean`]: { type: 'duration', about: `mean round trip to the ${side}` },
    [`tcp.rtt.${side}.maximum`]: { type: 'duration', about: `largest round trip to the ${side}` },
    [`tcp.rtt.${side}.samples`]: { type: 'int', about: `number of round trips measured to the ${side}` },
  }) satisfies FieldTable;

/** Members of a flow, behind the common ones and `flow`, `interface`. `src` is the client, `dst` the server. */
export const FLOW_FIELDS: FieldTable = {
  redirectedTo: {
    type: 'string',
    about:
      "the proxy on the client's own machine that took the connection in place of the server, such as a sidecar: `127.0.0.1:15001`",
  },
  transport: { type: 'string', about: '`tcp`, `udp`, `sctp`, `icmp`, `icmpv6` or `ip`' },
  duration: { type: 'duration', about: 'first packet to last packet' },
  ...direction('client'),
  ...direction('server'),
  'tcp.state': {
    type: 'string',
    about: '`opening`, `open`, `half-closed`, `closed`, `reset`, `refused` or `unanswered`',
  },
  'tcp.midstream': { type: 'bool', about: 'it began before the capture' },
  'tcp.closedBy': { type: 'string', about: 'who ended it first: `client` or `server`' },
  'tcp.resetBy': { type: 'string', about: 'who reset it: `client` or `server`' },
  'tcp.handshakeRtt': { type: 'duration', about: 'the SYN that was answered to the last ACK of the handshake' },
  'tcp.setup': { type: 'duration', about: 'the first SYN, retransmissions included, to the last ACK of the handshake' },
  'tcp.syns': { type: 'int', about: 'SYNs that the client sent' },
  'tcp.synSpan': { type: 'duration', about: 'the first of them to the last' },
  ...rtt('client'),
  ...rtt('server'),
  'tcp.mss': { type: 'list', about: 'maximum segment size of client and server, `null` where it was not seen' },
  'tcp.windowScale': { type: 'list', about: 'window scale of client and server' },
  'tcp.sack': { type: 'bool', about: 'both allow selective acknowledgements' },
  ...tcpDirection('client'),
  ...tcpDirection('server'),
  sightings: {
    type: 'list',
    about: 'what was seen at other places of capture, by place: `interfaceId`, `client`, `server`',
  },
};

/** Members of a packet that no protocol took, and of every packet of `-o packets`, behind the common ones and `interface`. */
export const PACKET_FIELDS: FieldTable = {
  info: { type: 'string', about: 'what its own bytes say above TCP or UDP: `HTTP GET /cart HTTP/1.1`' },
  direction: { type: 'string', about: '`in` or `out`, of a packet, where the capture tells' },
  length: { type: 'int', about: 'bytes on the wire' },
  captured: { type: 'int', about: 'of them captured' },
  stopped: { type: 'string', about: 'why decoding stopped: `truncated in TCP`' },
};
