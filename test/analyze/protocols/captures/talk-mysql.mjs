// Asks a MariaDB server with the package mysql2: node talk-mysql.mjs DIRECTORY, where DIRECTORY has mysql2 installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const mysql = require('mysql2/promise');
const at = { host: '127.0.0.1', user: 'shop', password: 'hush', database: 'shop', multipleStatements: true };
const shop = await mysql.createConnection(at);
const ask = (call) => call.catch(() => undefined);
await ask(shop.query('CREATE TABLE stock (id INT PRIMARY KEY, name VARCHAR(20))'));
await ask(shop.query("INSERT INTO stock VALUES (1, 'apple'), (2, 'pear'), (3, 'plum')"));
await ask(shop.query('SELECT * FROM stock'));
await ask(shop.query('SELECT * FROM stock WHERE id > 100'));
await ask(shop.query('SELECT * FROM nothing'));
await ask(shop.query('SELECT 1; SELECT 2; UPDATE stock SET id = id + 10'));
for (const id of [11, 12, 99]) await ask(shop.execute('SELECT name FROM stock WHERE id = ?', [id]));
await ask(shop.execute('DELETE FROM stock WHERE id = ?', [13]));
await ask(shop.query("SET PASSWORD = PASSWORD('hush')"));
await ask(shop.ping());
await ask(shop.query(`SELECT '${'x'.repeat(30_000)}'`));
await shop.end();
await ask(mysql.createConnection({ ...at, password: 'wrong' }));
