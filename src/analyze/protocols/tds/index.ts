import type { StreamProtocol } from '../protocol.ts';
import { TdsConnection } from './connection.ts';
import { tdsLikeness } from './packet.ts';

/** Microsoft SQL Server's TDS 7 (MS-TDS); also Azure SQL's. */
export const tds: StreamProtocol = {
  name: 'tds',
  title: 'SQL Server',
  ports: [1433],
  fields: {
    'sql.statement': { type: 'string', about: 'statement in one line, bounded, passwords masked' },
    'sql.error': { type: 'string', about: "the server's error message" },
    'sql.code': { type: 'int', about: "the server's error number: `208`" },
    'sql.rows': { type: 'int', about: 'rows returned, or else changed' },
    'sql.command': { type: 'string', about: 'kind of the request: `BATCH`, `RPC`, `LOGIN`, `COMMIT`' },
    'sql.procedure': { type: 'string', about: 'stored procedure that is called' },
    'sql.database': { type: 'string', about: 'database of a login' },
  },
  probe: tdsLikeness,
  create: (context) => new TdsConnection(context),
};
