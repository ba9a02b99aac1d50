/** What a command is: whose, and in which of its fields its request id, topic, producer, sequence, error and text are. */
export interface Command {
  readonly name: string;
  /** A request of the client's that is answered; an answer; what is said without an answer; or nothing of interest. */
  readonly kind: 'request' | 'answer' | 'message' | 'silent';
  readonly from: 'client' | 'server' | 'either';
  readonly id?: number;
  readonly topic?: number;
  readonly producer?: number;
  readonly sequence?: number;
  readonly error?: number;
  readonly text?: number;
  /** Of a lookup: the field that says how it went, and the value that says that it failed. */
  readonly outcome?: readonly [field: number, failed: number];
}

const request = (name: string, id: number, more: Partial<Command> = {}): Command => ({
  name,
  kind: 'request',
  from: 'client',
  id,
  ...more,
});
const answer = (name: string, id: number, more: Partial<Command> = {}): Command => ({
  name,
  kind: 'answer',
  from: 'server',
  id,
  ...more,
});
const said = (name: string, from: Command['from'], more: Partial<Command> = {}): Command => ({
  name,
  kind: 'message',
  from,
  ...more,
});
const silent = (name: string, from: Command['from']): Command => ({ name, kind: 'silent', from });

/** Commands by type, which is the number of their field in BaseCommand as well (PulsarApi.proto of Pulsar 3). */
export const COMMANDS: ReadonlyMap<number, Command> = new Map([
  [2, { name: 'CONNECT', kind: 'request', from: 'client' }],
  [3, { name: 'CONNECTED', kind: 'answer', from: 'server' }],
  [4, request('SUBSCRIBE', 5, { topic: 1 })],
  [5, request('PRODUCER', 3, { topic: 1, producer: 2 })],
  [6, { name: 'SEND', kind: 'request', from: 'client', producer: 1, sequence: 2 }],
  [7, { name: 'SEND_RECEIPT', kind: 'answer', from: 'server', producer: 1, sequence: 2 }],
  [8, { name: 'SEND_ERROR', kind: 'answer', from: 'server', producer: 1, sequence: 2, error: 3, text: 4 }],
  [9, said('MESSAGE', 'server')],
  [10, silent('ACK', 'client')],
  [11, silent('FLOW', 'client')],
  [12, request('UNSUBSCRIBE', 2)],
  [13, answer('SUCCESS', 1)],
  [14, answer('ERROR', 1, { error: 2, text: 3 })],
  [15, request('CLOSE_PRODUCER', 2, { from: 'either' })],
  [16, request('CLOSE_CONSUMER', 2, { from: 'either' })],
  [17, answer('PRODUCER_SUCCESS', 1)],
  [18, silent('PING', 'either')],
  [19, silent('PONG', 'either')],
  [20, silent('REDELIVER_UNACKNOWLEDGED_MESSAGES', 'client')],
  [21, request('PARTITIONED_METADATA', 2, { topic: 1 })],
  [22, answer('PARTITIONED_METADATA_RESPONSE', 2, { error: 4, text: 5, outcome: [3, 1] })],
  [23, request('LOOKUP', 2, { topic: 1 })],
  [24, answer('LOOKUP_RESPONSE', 4, { error: 6, text: 7, outcome: [3, 2] })],
  [25, request('CONSUMER_STATS', 1)],
  [26, answer('CONSUMER_STATS_RESPONSE', 1, { error: 2, text: 3 })],
  [27, said('REACHED_END_OF_TOPIC', 'server')],
  [28, request('SEEK', 2)],
  [29, request('GET_LAST_MESSAGE_ID', 2)],
  [30, answer('GET_LAST_MESSAGE_ID_RESPONSE', 2)],
  [31, silent('ACTIVE_CONSUMER_CHANGE', 'server')],
  [32, request('GET_TOPICS_OF_NAMESPACE', 1)],
  [33, answer('GET_TOPICS_OF_NAMESPACE_RESPONSE', 1)],
  [34, request('GET_SCHEMA', 1, { topic: 2 })],
  [35, answer('GET_SCHEMA_RESPONSE', 1, { error: 2, text: 3 })],
  [36, silent('AUTH_CHALLENGE', 'server')],
  [37, silent('AUTH_RESPONSE', 'client')],
  [38, silent('ACK_RESPONSE', 'server')],
  [39, request('GET_OR_CREATE_SCHEMA', 1, { topic: 2 })],
  [40, answer('GET_OR_CREATE_SCHEMA_RESPONSE', 1, { error: 2, text: 3 })],
  [50, request('NEW_TXN', 1)],
  [51, answer('NEW_TXN_RESPONSE', 1, { error: 4, text: 5 })],
  [52, request('ADD_PARTITION_TO_TXN', 1)],
  [53, answer('ADD_PARTITION_TO_TXN_RESPONSE', 1, { error: 4, text: 5 })],
  [54, request('ADD_SUBSCRIPTION_TO_TXN', 1)],
  [55, answer('ADD_SUBSCRIPTION_TO_TXN_RESPONSE', 1, { error: 4, text: 5 })],
  [56, request('END_TXN', 1)],
  [57, answer('END_TXN_RESPONSE', 1, { error: 4, text: 5 })],
  [58, request('END_TXN_ON_PARTITION', 1, { topic: 4 })],
  [59, answer('END_TXN_ON_PARTITION_RESPONSE', 1, { error: 4, text: 5 })],
  [60, request('END_TXN_ON_SUBSCRIPTION', 1)],
  [61, answer('END_TXN_ON_SUBSCRIPTION_RESPONSE', 1, { error: 4, text: 5 })],
  [62, request('TC_CLIENT_CONNECT', 1)],
  [63, answer('TC_CLIENT_CONNECT_RESPONSE', 1, { error: 2, text: 3 })],
  [64, request('WATCH_TOPIC_LIST', 1)],
  [65, answer('WATCH_TOPIC_LIST_SUCCESS', 1)],
  [66, silent('WATCH_TOPIC_UPDATE', 'server')],
  [67, request('WATCH_TOPIC_LIST_CLOSE', 1)],
  [68, said('TOPIC_MIGRATED', 'server')],
] as const);

/** ServerError of PulsarApi.proto. */
export const ERRORS = [
  'UnknownError',
  'MetadataError',
  'PersistenceError',
  'AuthenticationError',
  'AuthorizationError',
  'ConsumerBusy',
  'ServiceNotReady',
  'ProducerBlockedQuotaExceededError',
  'ProducerBlockedQuotaExceededException',
  'ChecksumError',
  'UnsupportedVersionError',
  'TopicNotFound',
  'SubscriptionNotFound',
  'ConsumerNotFound',
  'TooManyRequests',
  'TopicTerminatedError',
  'ProducerBusy',
  'InvalidTopicName',
  'IncompatibleSchema',
  'ConsumerAssignError',
  'TransactionCoordinatorNotFound',
  'InvalidTxnStatus',
  'NotAllowedError',
  'TransactionConflict',
  'TransactionNotFound',
  'ProducerFenced',
] as const;
