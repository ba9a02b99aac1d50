import type { StreamProtocol } from '../protocol.ts';
import { NatsConnection } from './connection.ts';
import { natsLikeness } from './line.ts';

/** NATS' client protocol (docs.nats.io), with what JetStream does on its subjects. */
export const nats: StreamProtocol = {
  name: 'nats',
  title: 'NATS',
  ports: [4222],
  fields: {
    'nats.operation': {
      type: 'string',
      about: 'operation of a message: `PUB`, `MSG`, `SUB`, `ack`; absent of requests',
    },
    'nats.subject': { type: 'string', about: 'subject of the request or message' },
    'nats.queue': { type: 'string', about: 'queue group of a subscription' },
    'nats.code': { type: 'int', about: 'code of the error with which the server, JetStream or a service answers' },
    'nats.error': { type: 'string', about: "the error's text" },
    'nats.stream': { type: 'string', about: "JetStream's stream" },
    'nats.consumer': { type: 'string', about: "JetStream's consumer" },
    'nats.sequence': { type: 'int', about: 'number of the message in its stream' },
    'nats.client': { type: 'string', about: 'name that the client gives itself' },
    'nats.library': { type: 'string', about: "the client's library and its version" },
  },
  probe: natsLikeness,
  create: (context) => new NatsConnection(context),
};
