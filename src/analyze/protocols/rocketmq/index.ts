import { SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { NumberedConnection, type NumberedProtocol, type Said } from '../numbered-connection.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext, StreamProtocol } from '../protocol.ts';
import { ORDINARY, REQUESTS, RESPONSES, SHORT_NAMES } from './codes.ts';
import {
  FLAG,
  LENGTHS,
  ROCKETMQ_SEEK,
  readHeader,
  rocketmqBegins,
  rocketmqLength,
  rocketmqLikeness,
} from './header.ts';

const ABOUT: NumberedProtocol = {
  protocol: 'rocketmq',
  title: 'RocketMQ',
  header: LENGTHS,
  keep: 8192,
  lengthOf: rocketmqLength,
  seek: ROCKETMQ_SEEK,
  begins: (_side, bytes, start) => rocketmqBegins(bytes, start),
};

function read(side: Side, bytes: Uint8Array, start: number, end: number, showSecrets: boolean): Said | undefined {
  const header = readHeader(bytes, start, end);
  if (header === undefined) return undefined;
  const { code, flag, opaque, remark, fields: given } = header;
  if ((flag & FLAG.response) !== 0) {
    // The client answers what the server asks: that is not followed.
    if (side === SIDE.client) return undefined;
    const failed = !ORDINARY.has(code);
    const status = RESPONSES.get(code) ?? `code ${code}`;
    const plain = oneLine(remark);
    const text = showSecrets ? plain : maskText(plain);
    return {
      kind: 'answer',
      key: opaque,
      status: failed && text !== '' ? `${status} ${text}` : status,
      failed,
      fields: { status, remark: text || undefined },
    };
  }
  const name = REQUESTS.get(code) ?? `request ${code}`;
  const isShort = SHORT_NAMES.has(code);
  const topic = oneLine(given.get(isShort ? 'b' : 'topic') ?? '');
  const group = oneLine(
    given.get(isShort ? 'a' : 'consumerGroup') ?? given.get('producerGroup') ?? given.get('group') ?? '',
  );
  const route = topic === '' ? name : `${name} ${topic}`;
  const fields = { command: name, topic: topic || undefined, group: group || undefined, opaque };
  if ((flag & FLAG.oneWay) !== 0) return { kind: 'message', label: route, fields };
  const about = topic === '' && group !== '' ? `${name} ${group}` : route;
  return { kind: 'request', key: opaque, label: about, route, fields };
}

/** RocketMQ's remoting protocol, its headers in JSON or in its own form: clients with brokers and name servers. */
export const rocketmq: StreamProtocol = {
  name: 'rocketmq',
  title: 'RocketMQ',
  ports: [9876, 10911, 10909],
  fields: {
    'rocketmq.command': { type: 'string', about: "name of the request's code, `SEND_MESSAGE`" },
    'rocketmq.topic': { type: 'string', about: 'the topic' },
    'rocketmq.group': { type: 'string', about: "the producer's or consumer's group" },
    'rocketmq.status': { type: 'string', about: "name of the response's code, `SUCCESS`" },
    'rocketmq.remark': { type: 'string', about: "the response's remark, secrets masked" },
    'rocketmq.opaque': { type: 'int', about: 'what pairs request and response' },
  },
  probe: rocketmqLikeness,
  create: (context: StreamContext) =>
    new NumberedConnection(context, ABOUT, {
      read: (side, bytes, start, end) => read(side, bytes, start, end, context.showSecrets),
    }),
};
