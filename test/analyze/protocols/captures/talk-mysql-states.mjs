// Asks a MariaDB server with the package mysql2: node talk-mysql-states.mjs DIRECTORY, where DIRECTORY has mysql2 installed.
import { createRequire } from 'node:module';
import { Readable } from 'node:stream';

const require = createRequire(`${process.argv[2]}/`);
const mysql = require('mysql2/promise');
const at = { host: '127.0.0.1', user: 'shop', password: 'hush', database: 'shop', multipleStatements: true };
const ask = (call) => call.catch(() => undefined);

const plain = await mysql.createConnection(at);
plain.on('error', () => undefined);
await ask(plain.query("INSERT INTO stock VALUES (1, 'apple'), (2, 'pear')"));
await ask(plain.execute('SELECT name FROM stock WHERE id = ?', [1]));
await ask(plain.changeUser({ user: 'other', password: 'hush', database: 'shop' }));
await ask(plain.query('SELECT CURRENT_USER()'));
await ask(plain.execute('SELECT name FROM stock WHERE id = ?', [2]));
await ask(plain.changeUser({ user: 'other', password: 'wrong', database: 'shop' }));

plain.destroy();

const loader = await mysql.createConnection(at);
const infileStreamFactory = () => Readable.from([Buffer.from('3\tplum\n'), Buffer.from('4\tfig\n')]);
await ask(loader.query({ sql: "LOAD DATA LOCAL INFILE 'x' INTO TABLE stock", infileStreamFactory }));
await ask(loader.query('SELECT 1; SELECT nope; SELECT 2'));
await ask(loader.query('SELECT 2'));
await loader.end();

const compressed = await mysql.createConnection({ ...at, compress: true });
await ask(compressed.query('SELECT * FROM stock'));
await ask(compressed.query(`SELECT '${'x'.repeat(30_000)}'`));
await ask(compressed.execute('SELECT seq FROM seq_1_to_5000 WHERE seq > ?', [0]));
await ask(compressed.query('SELECT nope'));
await ask(compressed.ping());
await compressed.end();
