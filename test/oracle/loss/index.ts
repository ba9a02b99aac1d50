import type { ConversationMaker } from './conversation.ts';
import { http1Conversation } from './http1.ts';
import { http2Conversation } from './http2.ts';
import { memcachedConversation } from './memcached.ts';
import { mongodbConversation } from './mongodb.ts';
import { mysqlConversation } from './mysql.ts';
import { postgresqlConversation } from './postgresql.ts';
import { redisConversation } from './redis.ts';

/** Every request-response protocol of which conversations are made. */
export const CONVERSATIONS = {
  http1: http1Conversation,
  http2: http2Conversation,
  redis: redisConversation,
  memcached: memcachedConversation,
  postgresql: postgresqlConversation,
  mysql: mysqlConversation,
  mongodb: mongodbConversation,
} as const satisfies Readonly<Record<string, ConversationMaker>>;

export type ConversationName = keyof typeof CONVERSATIONS;
