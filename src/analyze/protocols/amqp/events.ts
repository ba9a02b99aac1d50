import { type Exchange, type Fields, type Incomplete, type Message, SIDE, type Side } from '../../record/event.ts';
import { MASK } from '../../record/mask.ts';
import type { FramedMessage } from '../framed-connection.ts';
import { measured } from '../framed-exchange.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext } from '../protocol.ts';
import type { Arguments } from './arguments.ts';
import type { Announced, PendingRequest } from './channel.ts';

/** How a method was answered; without a message, not at all. */
export interface AmqpAnswer {
  readonly message: FramedMessage | undefined;
  readonly status: string;
  readonly failed: boolean;
  readonly incomplete: Incomplete | undefined;
  readonly endedBy?: Side | undefined;
  /** Fields of a login. */
  readonly login?: Arguments | undefined;
}

/** The answer of a method that needs none. */
export const NO_ANSWER: AmqpAnswer = {
  message: undefined,
  status: '',
  failed: false,
  incomplete: undefined,
};

/** A method and its answer. */
export function exchangeOf(request: PendingRequest, answer: AmqpAnswer, context: StreamContext): Exchange {
  return {
    kind: 'exchange',
    protocol: 'amqp',
    label: labelOf(request),
    requester: request.requester === SIDE.server ? request.requester : undefined,
    ...measured(request.message, answer.message, answer),
    status: answer.status,
    failed: answer.failed,
    route: routeOf(request),
    fields: { amqp: exchangeFields(request, answer.login, context) },
  };
}

/** A message on its way. @param bytes of its body */
export function messageOf(
  announced: Announced,
  from: Side,
  channel: number,
  bytes: number,
  { detail }: StreamContext,
): Message {
  const { method, queue, exchange, routingKey, redelivered, time } = announced;
  const plain = { method: method.name, exchange, routingKey, queue: queue || undefined, bytes };
  return {
    kind: 'message',
    protocol: 'amqp',
    label: labelOf(announced),
    time,
    from,
    bytes,
    fields: { amqp: detail ? { ...plain, channel, redelivered: redelivered || undefined } : plain },
  };
}

function exchangeFields(
  request: PendingRequest,
  login: Arguments | undefined,
  { detail, showSecrets }: StreamContext,
): Fields {
  const plain = {
    method: request.method.name,
    exchange: request.exchange || undefined,
    routingKey: request.routingKey || undefined,
    queue: request.queue || undefined,
  };
  if (!detail) return plain;
  return {
    ...plain,
    channel: request.channel,
    virtualHost: request.virtualHost || undefined,
    mechanism: login?.mechanism,
    response: login === undefined ? undefined : showSecrets ? login.secret : MASK,
  };
}

type Named = Pick<PendingRequest, 'method' | 'queue' | 'exchange' | 'routingKey'> & { readonly virtualHost?: string };

/** `queue.bind billing orders order.*`, `basic.publish orders order.new`, `connection.open /`. */
function labelOf({ method, queue, exchange, routingKey, virtualHost = '' }: Named): string {
  let label = method.name;
  if (queue !== '') label += ` ${queue}`;
  if (exchange !== '') label += ` ${exchange}`;
  // On the default exchange the routing key is the queue's name.
  if (routingKey !== '' && routingKey !== queue) label += ` ${routingKey}`;
  if (virtualHost !== '') label += ` ${virtualHost}`;
  return oneLine(label);
}

/** Of the names, those that people gave: a broker names queues for one answer with random letters. */
function routeOf({ method, queue, exchange, virtualHost }: PendingRequest): string {
  const name = queue || exchange || virtualHost;
  return name === '' || name.startsWith('amq.gen-') ? method.name : oneLine(`${method.name} ${name}`);
}
