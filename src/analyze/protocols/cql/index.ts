import type { StreamProtocol } from '../protocol.ts';
import { CqlConnection } from './connection.ts';
import { cqlLikeness } from './frame.ts';

/** Cassandra's CQL binary protocol, versions 3 to 5; ScyllaDB has the same. */
export const cql: StreamProtocol = {
  name: 'cql',
  title: 'CQL',
  ports: [9042],
  fields: {
    'cql.operation': {
      type: 'string',
      about: 'kind of the request: `QUERY`, `EXECUTE`, `PREPARE`, `BATCH`, `STARTUP`',
    },
    'cql.statement': {
      type: 'string',
      about: 'statement, the first of a batch; absent where it was prepared elsewhere',
    },
    'cql.consistency': { type: 'string', about: 'consistency level of a statement' },
    'cql.stream': { type: 'int', about: 'number that the answer repeats' },
    'cql.code': { type: 'int', about: 'code of the error' },
    'cql.error': { type: 'string', about: "the error's text" },
    'cql.warning': { type: 'string', about: 'first warning of the answer' },
  },
  probe: cqlLikeness,
  create: (context) => new CqlConnection(context),
};
