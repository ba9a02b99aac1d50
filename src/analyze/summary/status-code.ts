import { type Exchange, SIDE } from '../record/event.ts';

/** Protocols whose status is one word, and then the server's own words: `NOT_FOUND no such cart`. */
const ONE_WORD: ReadonlySet<string> = new Set([
  'grpc',
  'redis',
  'amqp',
  'memcached',
  'smtp',
  'nats',
  'ldap',
  'rocketmq',
  'pulsar',
  'thrift',
]);

/**
 * What the statuses of exchanges are grouped by: the code alone, without the server's words (`ERROR 42P01`, `NOT_FOUND`),
 * and of an exchange without a complete response what became of it (`reset by server`, `200 (incomplete)`); empty where
 * there is neither.
 */
export function statusCode({ protocol, status, incomplete, endedBy }: Exchange): string {
  const code = codeOf(protocol, status);
  if (incomplete === undefined) return code;
  if (code !== '') return `${code} (incomplete)`;
  const isEnding = incomplete === 'reset' || incomplete === 'closed early';
  if (!isEnding || endedBy === undefined) return incomplete;
  return `${incomplete} by ${endedBy === SIDE.client ? 'client' : 'server'}`;
}

function codeOf(protocol: string, status: string): string {
  if (!status.includes(' ') || status.startsWith('RST ')) return status;
  if (status.startsWith('ERROR ')) return status.split(' ', 2).join(' ');
  if (protocol === 'mongodb') return status.split(' ', 2).join(' ');
  return ONE_WORD.has(protocol) ? (status.split(' ', 1)[0] ?? status) : status;
}
