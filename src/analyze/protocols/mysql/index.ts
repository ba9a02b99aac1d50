import type { StreamProtocol } from '../protocol.ts';
import { mysqlLikeness } from './beginnings.ts';
import { MySqlConnection } from './connection.ts';

/** MySQL's and MariaDB's protocol (MySQL Source Code Documentation, "Client/Server Protocol"). */
export const mysql: StreamProtocol = {
  name: 'mysql',
  title: 'MySQL',
  ports: [3306],
  fields: {
    'sql.statement': { type: 'string', about: 'statement in one line, bounded, passwords masked' },
    'sql.error': { type: 'string', about: "the server's error message" },
    'sql.sqlstate': { type: 'string', about: 'SQLSTATE of the error: `42S02`' },
    'sql.code': { type: 'int', about: "the server's error number: `1146`" },
    'sql.rows': { type: 'int', about: 'rows returned, or else changed' },
    'sql.command': { type: 'string', about: 'the command that was sent: `QUERY`, `STMT_EXECUTE`' },
    'sql.user': { type: 'string', about: 'user of the connection, where its beginning was seen' },
    'sql.database': { type: 'string', about: 'database of the connection' },
  },
  probe: mysqlLikeness,
  create: (context) => new MySqlConnection(context),
};
