import { expect, test } from 'vitest';
import { COMMAND } from '../../../../src/analyze/protocols/mysql/packets.ts';

/** In the order of their numbers, as in enum_server_command of MySQL's include/my_command.h, from 0 on. */
const NAMES =
  'SLEEP QUIT INIT_DB QUERY FIELD_LIST CREATE_DB DROP_DB REFRESH SHUTDOWN STATISTICS PROCESS_INFO CONNECT PROCESS_KILL DEBUG PING ' +
  'TIME DELAYED_INSERT CHANGE_USER BINLOG_DUMP TABLE_DUMP CONNECT_OUT REGISTER_SLAVE STMT_PREPARE STMT_EXECUTE STMT_SEND_LONG_DATA ' +
  'STMT_CLOSE STMT_RESET SET_OPTION STMT_FETCH DAEMON BINLOG_DUMP_GTID RESET_CONNECTION';

/** Those that no client sends, or no longer. */
const UNUSED = ['SLEEP', 'CONNECT', 'TIME', 'DELAYED_INSERT', 'TABLE_DUMP'];

test('commands have the numbers of MySQL, and MariaDB has one more', () => {
  const unused = new Set([...UNUSED, 'CONNECT_OUT', 'DAEMON']);
  const expected = NAMES.split(' ').flatMap((name, number) => (unused.has(name) ? [] : [[String(number), name]]));
  expect(Object.entries(COMMAND)).toEqual([...expected, ['250', 'STMT_BULK_EXECUTE']]);
});
