import type { StreamProtocol } from '../protocol.ts';
import { AmqpConnection } from './connection.ts';
import { amqpLikeness } from './frame.ts';

/** AMQP 0-9-1 (its specification, with RabbitMQ's additions). */
export const amqp: StreamProtocol = {
  name: 'amqp',
  title: 'AMQP',
  ports: [5672],
  fields: {
    'amqp.method': { type: 'string', about: 'class and method, `basic.publish`' },
    'amqp.channel': { type: 'int', about: 'number of the channel; 0 is the connection itself' },
    'amqp.exchange': { type: 'string', about: 'name of the exchange; empty for the default one' },
    'amqp.routingKey': { type: 'string', about: 'routing key' },
    'amqp.queue': { type: 'string', about: 'name of the queue, as far as it is known' },
    'amqp.bytes': { type: 'int', about: "bytes of the message's body" },
    'amqp.redelivered': { type: 'bool', about: 'the message was delivered before' },
    'amqp.virtualHost': { type: 'string', about: 'virtual host that is opened' },
    'amqp.mechanism': { type: 'string', about: 'SASL mechanism' },
    'amqp.response': { type: 'string', about: 'SASL response, masked' },
    'amqp.replyCode': { type: 'int', about: 'code of a close or a return, 200 for none' },
    'amqp.replyText': { type: 'string', about: 'text of a close or a return, or why a connection is blocked' },
    'amqp.blamed': { type: 'string', about: 'the method that a close is about' },
    'amqp.acks': { type: 'int', about: 'basic.ack on what was closed' },
    'amqp.nacks': { type: 'int', about: 'basic.nack and basic.reject on what was closed' },
  },
  probe: amqpLikeness,
  create: (context) => new AmqpConnection(context),
};
