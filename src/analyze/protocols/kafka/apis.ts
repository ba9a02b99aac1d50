/** An API of Kafka: its name, its newest version known here, and its first flexible one (KIP-482), if any. */
export interface Api {
  readonly name: string;
  readonly newest: number;
  /** Infinity where no version is flexible. */
  readonly flexible: number;
}

/** By API key, as in the message definitions of Kafka 3.9 and 4.1: name, newest version, first flexible version (-1: none). */
const TABLE: readonly (readonly [name: string, newest: number, flexible: number])[] = [
  ['Produce', 13, 9],
  ['Fetch', 18, 12],
  ['ListOffsets', 10, 6],
  ['Metadata', 13, 9],
  ['LeaderAndIsr', 7, 4],
  ['StopReplica', 4, 2],
  ['UpdateMetadata', 8, 6],
  ['ControlledShutdown', 3, 3],
  ['OffsetCommit', 10, 8],
  ['OffsetFetch', 10, 6],
  ['FindCoordinator', 6, 3],
  ['JoinGroup', 9, 6],
  ['Heartbeat', 4, 4],
  ['LeaveGroup', 5, 4],
  ['SyncGroup', 5, 4],
  ['DescribeGroups', 6, 5],
  ['ListGroups', 5, 3],
  ['SaslHandshake', 1, -1],
  ['ApiVersions', 4, 3],
  ['CreateTopics', 7, 5],
  ['DeleteTopics', 6, 4],
  ['DeleteRecords', 2, 2],
  ['InitProducerId', 6, 2],
  ['OffsetForLeaderEpoch', 4, 4],
  ['AddPartitionsToTxn', 5, 3],
  ['AddOffsetsToTxn', 4, 3],
  ['EndTxn', 5, 3],
  ['WriteTxnMarkers', 1, 1],
  ['TxnOffsetCommit', 5, 3],
  ['DescribeAcls', 3, 2],
  ['CreateAcls', 3, 2],
  ['DeleteAcls', 3, 2],
  ['DescribeConfigs', 4, 4],
  ['AlterConfigs', 2, 2],
  ['AlterReplicaLogDirs', 2, 2],
  ['DescribeLogDirs', 4, 2],
  ['SaslAuthenticate', 2, 2],
  ['CreatePartitions', 3, 2],
  ['CreateDelegationToken', 3, 2],
  ['RenewDelegationToken', 2, 2],
  ['ExpireDelegationToken', 2, 2],
  ['DescribeDelegationToken', 3, 2],
  ['DeleteGroups', 2, 2],
  ['ElectLeaders', 2, 2],
  ['IncrementalAlterConfigs', 1, 1],
  ['AlterPartitionReassignments', 1, 0],
  ['ListPartitionReassignments', 0, 0],
  ['OffsetDelete', 0, -1],
  ['DescribeClientQuotas', 1, 1],
  ['AlterClientQuotas', 1, 1],
  ['DescribeUserScramCredentials', 0, 0],
  ['AlterUserScramCredentials', 0, 0],
  ['Vote', 2, 0],
  ['BeginQuorumEpoch', 1, 1],
  ['EndQuorumEpoch', 1, 1],
  ['DescribeQuorum', 2, 0],
  ['AlterPartition', 3, 0],
  ['UpdateFeatures', 2, 0],
  ['Envelope', 0, 0],
  ['FetchSnapshot', 1, 0],
  ['DescribeCluster', 2, 0],
  ['DescribeProducers', 0, 0],
  ['BrokerRegistration', 4, 0],
  ['BrokerHeartbeat', 1, 0],
  ['UnregisterBroker', 0, 0],
  ['DescribeTransactions', 0, 0],
  ['ListTransactions', 2, 0],
  ['AllocateProducerIds', 0, 0],
  ['ConsumerGroupHeartbeat', 1, 0],
  ['ConsumerGroupDescribe', 1, 0],
  ['ControllerRegistration', 0, 0],
  ['GetTelemetrySubscriptions', 0, 0],
  ['PushTelemetry', 0, 0],
  ['AssignReplicasToDirs', 0, 0],
  ['ListConfigResources', 1, 0],
  ['DescribeTopicPartitions', 0, 0],
  ['ShareGroupHeartbeat', 1, 0],
  ['ShareGroupDescribe', 1, 0],
  ['ShareFetch', 1, 0],
  ['ShareAcknowledge', 1, 0],
  ['AddRaftVoter', 0, 0],
  ['RemoveRaftVoter', 0, 0],
  ['UpdateRaftVoter', 0, 0],
  ['InitializeShareGroupState', 0, 0],
  ['ReadShareGroupState', 0, 0],
  ['WriteShareGroupState', 0, 0],
  ['DeleteShareGroupState', 0, 0],
  ['ReadShareGroupStateSummary', 0, 0],
  ['StreamsGroupHeartbeat', 0, 0],
  ['StreamsGroupDescribe', 0, 0],
  ['DescribeShareGroupOffsets', 0, 0],
  ['AlterShareGroupOffsets', 0, 0],
  ['DeleteShareGroupOffsets', 0, 0],
];

export const APIS: readonly Api[] = TABLE.map(([name, newest, flexible]) => ({
  name,
  newest,
  flexible: flexible < 0 ? Number.POSITIVE_INFINITY : flexible,
}));

export const PRODUCE = 0;
export const FETCH = 1;
export const METADATA = 3;
export const SASL_HANDSHAKE = 17;
export const API_VERSIONS = 18;
export const CREATE_TOPICS = 19;
export const DESCRIBE_TOPIC_PARTITIONS = 75;

/** APIs that are about topics: which one is part of the route. */
export const NAMES_TOPIC: ReadonlySet<number> = new Set([PRODUCE, FETCH, METADATA]);

/** An API's name; `API 99` for one that is not known. */
export function apiName(key: number): string {
  return APIS[key]?.name ?? `API ${key}`;
}
