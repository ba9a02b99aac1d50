import type { StreamProtocol } from '../protocol.ts';
import { RedisConnection } from './connection.ts';
import { redisLikeness } from './probe.ts';

/** Redis, Valkey and what speaks like them: RESP2 and RESP3. */
export const redis: StreamProtocol = {
  name: 'redis',
  title: 'Redis',
  ports: [6379],
  // NATS also sends PING and +OK, POP3 +OK.
  notOn: [4222, 110],
  fields: {
    'redis.command': { type: 'string', about: 'command in upper case, `GET`; of a message its kind' },
    'redis.key': { type: 'string', about: 'first key of the command' },
    'redis.error': { type: 'string', about: "the server's error: `WRONGTYPE Operation against …`" },
    'redis.channel': { type: 'string', about: 'channel of a published message' },
  },
  probe: redisLikeness,
  create: (context) => new RedisConnection(context),
};
