import type { StreamProtocol } from '../protocol.ts';
import { PostgreSqlConnection } from './connection.ts';
import { postgresqlLikeness } from './likeness.ts';

/** PostgreSQL's protocol 3 (PostgreSQL documentation, "Frontend/Backend Protocol"). */
export const postgresql: StreamProtocol = {
  name: 'postgresql',
  title: 'PostgreSQL',
  ports: [5432],
  fields: {
    'sql.statement': { type: 'string', about: 'statement in one line, bounded, passwords masked' },
    'sql.error': { type: 'string', about: "the server's error message" },
    'sql.sqlstate': { type: 'string', about: 'SQLSTATE of the error: `42P01`' },
    'sql.rows': { type: 'int', about: 'rows returned or changed, from the command tag' },
    'sql.command': { type: 'string', about: "the server's command tag: `SELECT`" },
    'sql.user': { type: 'string', about: 'user of the connection, where its beginning was seen' },
    'sql.database': { type: 'string', about: 'database of the connection' },
  },
  probe: postgresqlLikeness,
  create: (context) => new PostgreSqlConnection(context),
};
