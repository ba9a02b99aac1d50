// Talks TDS: node talk-tds.mjs DIRECTORY, where DIRECTORY has npm's tedious installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const { Connection, Request, TYPES } = require('tedious');

const connect = (userName) =>
  new Promise((resolve, reject) => {
    const connection = new Connection({
      server: '127.0.0.1',
      authentication: { type: 'default', options: { userName, password: 'hunter2-right' } },
      options: { encrypt: false, database: 'shop', connectTimeout: 5000 },
    });
    connection.connect((error) => (error ? reject(error) : resolve(connection)));
  });
const run = (connection, how, text, parameter) =>
  new Promise((resolve) => {
    const request = new Request(text, (error) => {
      if (error) console.log(error.message);
      resolve();
    });
    if (parameter !== undefined) request.addParameter('id', TYPES.NVarChar, parameter);
    connection[how](request);
  });
const attempt = (what) => what().catch((thrown) => console.log(thrown.message));

const connection = await connect('shop');
await run(connection, 'execSqlBatch', 'SELECT name FROM shop.orders');
await run(connection, 'execSql', 'SELECT name FROM shop.orders WHERE id = @id', '17');
await run(connection, 'execSqlBatch', "INSERT INTO users (name, password) VALUES ('bob', 'hunter2-user')");
await run(connection, 'execSqlBatch', 'SELECT name FROM missing');
await run(connection, 'execSql', 'SELECT name FROM large WHERE id = @id', 'x'.repeat(3000));
await run(connection, 'callProcedure', 'dbo.add_order', '17');
await new Promise((resolve) => connection.beginTransaction(resolve));
await run(connection, 'execSqlBatch', 'UPDATE stock SET n = 1');
await new Promise((resolve) => connection.commitTransaction(resolve));
connection.close();
await attempt(() => connect('liar'));
