import type { StreamProtocol } from '../protocol.ts';
import { KafkaConnection } from './connection.ts';
import { requestLikeness } from './request.ts';

/** Kafka's protocol (kafka.apache.org/protocol), all versions up to those of Kafka 4.1. */
export const kafka: StreamProtocol = {
  name: 'kafka',
  title: 'Kafka',
  ports: [9092, 9093, 9094, 19092, 29092],
  fields: {
    'kafka.api': { type: 'string', about: 'the API, `Produce`' },
    'kafka.version': { type: 'int', about: "the API's version" },
    'kafka.correlationId': { type: 'int', about: 'what pairs request and response' },
    'kafka.error': { type: 'string', about: 'name of the first error code of the response; absent without one' },
    'kafka.errorCode': { type: 'int', about: 'the first error code of the response; absent without one' },
    'kafka.clientId': { type: 'string', about: "the client's name for itself" },
    'kafka.topics': { type: 'list', about: 'names of topics asked for, the first 16' },
    'kafka.group': { type: 'string', about: 'the consumer group, or what else a coordinator is asked for' },
    'kafka.mechanism': { type: 'string', about: 'SASL mechanism' },
    'kafka.acks': { type: 'int', about: 'what a Produce waits for: 0 nothing, 1 the leader, -1 all replicas' },
  },
  probe: requestLikeness,
  create: (context) => new KafkaConnection(context),
};
