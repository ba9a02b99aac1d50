// Talks CQL 4: node talk-cql.mjs DIRECTORY, where DIRECTORY has npm's cassandra-driver installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const { Client, auth } = require('cassandra-driver');
const attempt = (what) => what().catch((thrown) => console.log(thrown.message));
const connect = (password) =>
  new Client({
    contactPoints: ['127.0.0.1'],
    localDataCenter: 'dc1',
    authProvider: new auth.PlainTextAuthProvider('shop', password),
    pooling: { coreConnectionsPerHost: { 0: 2, 1: 2, 2: 2 }, warmup: true },
    isMetadataSyncEnabled: false,
  });

const client = connect('hunter2-right');
await client.connect();
await attempt(() => client.execute('SELECT name FROM shop.orders'));
await attempt(() => client.execute("INSERT INTO shop.users (name, password) VALUES ('bob', 'hunter2-user')"));
for (let n = 0; n < 4; n += 1) {
  await attempt(() => client.execute('SELECT name FROM shop.orders WHERE id = ?', [`id${n}`], { prepare: true }));
}
await attempt(() =>
  client.batch(
    [{ query: "INSERT INTO shop.orders (id) VALUES ('a')" }, { query: "INSERT INTO shop.orders (id) VALUES ('b')" }],
    { prepare: false },
  ),
);
await attempt(() => client.execute('SELEKT 1'));
await attempt(() => client.execute('SELECT name FROM shop.missing'));
await attempt(() => client.execute('SELECT name FROM shop.slow', [], { consistency: 6 }));
await Promise.all([1, 2, 3].map((n) => attempt(() => client.execute(`SELECT name FROM shop.orders LIMIT ${n}`))));
await client.shutdown();
const liar = connect('hunter2-wrong');
await attempt(() => liar.connect());
await attempt(() => liar.shutdown());
