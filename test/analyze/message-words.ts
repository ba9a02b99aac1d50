import type { MessageFrame } from '../oracle/tshark-traffic.ts';

/** What tshark's fields and ksnoop's say of messages, in the same words. */

export function text(value: unknown): string {
  return value === undefined || value === null ? '' : String(value);
}

export function overTcp(frame: MessageFrame): boolean {
  return frame.has('tcp.srcport') && !quoted(frame);
}

/** What an ICMP error quotes is no message. */
export function quoted(frame: MessageFrame): boolean {
  return /:icmp(v6)?:/.test(frame.last('frame.protocols'));
}

/** From the higher port to the lower: a client's, where the client's is not known. */
export function toServer(frame: MessageFrame): boolean {
  return Number(frame.last('tcp.srcport')) > Number(frame.last('tcp.dstport'));
}

/** kafka.apache.org/protocol: what clients use most. */
export const KAFKA_APIS: Readonly<Record<string, string>> = {
  ...{ 0: 'Produce', 1: 'Fetch', 2: 'ListOffsets', 3: 'Metadata', 8: 'OffsetCommit', 9: 'OffsetFetch' },
  ...{ 10: 'FindCoordinator', 11: 'JoinGroup', 12: 'Heartbeat', 13: 'LeaveGroup', 14: 'SyncGroup' },
  ...{ 15: 'DescribeGroups', 16: 'ListGroups', 17: 'SaslHandshake', 18: 'ApiVersions', 19: 'CreateTopics' },
  ...{ 20: 'DeleteTopics', 22: 'InitProducerId', 32: 'DescribeConfigs', 36: 'SaslAuthenticate' },
};

/** Each array of a client's is a command: the first of its bulk strings names it. Without all of an array nothing is told. */
export function redisCommands(frame: MessageFrame): readonly string[] {
  const lengths = frame.all('resp.array.length').map(Number);
  const values = frame.all('resp.bulk_string.value');
  if (!toServer(frame) || lengths.reduce((sum, length) => sum + length, 0) !== values.length) return [];
  let at = 0;
  return lengths.flatMap((length) => {
    const name = Buffer.from(values[at] ?? '', 'hex')
      .toString('latin1')
      .toUpperCase();
    at += length;
    return length > 0 ? [name] : [];
  });
}

/** RFC 6455, section 11.8: whole messages begin with one of these. */
export const WEBSOCKET: Readonly<Record<string, string>> = { 1: 'text', 2: 'binary', 8: 'close' };

/** By class and method (AMQP 0-9-1), what is asked or delivered; answers are told with what was asked. */
const AMQP: Readonly<Record<string, string>> = {
  ...{ '10.10': 'connection.start', '10.30': 'connection.tune', '10.40': 'connection.open' },
  ...{ '10.50': 'connection.close', '20.10': 'channel.open', '20.20': 'channel.flow', '20.40': 'channel.close' },
  ...{ '40.10': 'exchange.declare', '40.20': 'exchange.delete', '50.10': 'queue.declare', '50.20': 'queue.bind' },
  ...{ '50.30': 'queue.purge', '50.40': 'queue.delete', '50.50': 'queue.unbind', '60.10': 'basic.qos' },
  ...{ '60.20': 'basic.consume', '60.30': 'basic.cancel', '60.40': 'basic.publish', '60.50': 'basic.return' },
  ...{ '60.60': 'basic.deliver', '60.70': 'basic.get', '60.71': 'basic.get-ok', '60.110': 'basic.recover' },
  ...{ '85.10': 'confirm.select', '90.10': 'tx.select', '90.20': 'tx.commit', '90.30': 'tx.rollback' },
};

export function amqpMethods(frame: MessageFrame): readonly string[] {
  const methods = frame.all('amqp.method.method');
  return frame.all('amqp.method.class').flatMap((number, at) => AMQP[`${number}.${methods[at]}`] ?? []);
}

const GRPC_CODES =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  );

/** The number of a code that is told by name. */
export function grpcCode(status: string): string {
  const code = GRPC_CODES.indexOf(status);
  return code < 0 ? status : String(code);
}

/** Handshake type 2, and no ClientHello beside it, whose list would be taken for the server's. */
export function isServerHello(frame: MessageFrame): boolean {
  const types = frame.all('tls.handshake.type');
  return types.includes('2') && !types.includes('1');
}
