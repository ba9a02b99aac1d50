// Talks NATS: node talk-nats.mjs DIRECTORY, where DIRECTORY has npm's nats installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const { AckPolicy, connect, headers, StringCodec } = require('nats');
const text = StringCodec();
const servers = '127.0.0.1:4222';
const attempt = (what) => what().catch((thrown) => console.log(thrown.code, thrown.message));

const service = await connect({ servers, user: 'shop', pass: 'hunter2-right', name: 'orders-service' });
const seen = service.subscribe('orders.*', { queue: 'workers' });
(async () => {
  for await (const message of seen) {
    if (message.subject === 'orders.broken') {
      const head = headers();
      head.set('Nats-Service-Error-Code', '500');
      head.set('Nats-Service-Error', 'no stock');
      message.respond(text.encode(''), { headers: head });
    } else if (message.subject !== 'orders.silent') message.respond(text.encode(`done ${message.subject}`));
  }
})();
service.subscribe('news.>', { callback: () => {} });

const client = await connect({ servers, user: 'shop', pass: 'hunter2-right', name: 'web' });
await client.flush();
for (const name of ['create', 'list', 'broken']) {
  await client.request(`orders.${name}`, text.encode('{"id":1}'), { timeout: 2000 });
}
await Promise.all(
  [1, 2, 3, 4].map((n) => client.request('orders.create', text.encode('x'.repeat(n * 700)), { timeout: 2000 })),
);
await attempt(() => client.request('nobody.there', text.encode('?'), { timeout: 2000 }));
await attempt(() => client.request('orders.silent', text.encode('?'), { timeout: 300 }));
client.publish('news.sport', text.encode('PUB news.sport 5\r\nMSG a 1 3\r\n'));
const head = headers();
head.set('x-trace', 'abc');
client.publish('news.weather', text.encode('rain'), { headers: head });
await client.flush();

const manager = await client.jetstreamManager();
await manager.streams.add({ name: 'ORDERS', subjects: ['stored.*'] });
await attempt(() => manager.streams.info('MISSING'));
await manager.consumers.add('ORDERS', { durable_name: 'billing', ack_policy: AckPolicy.Explicit });
const stream = client.jetstream();
for (let n = 0; n < 5; n += 1) await stream.publish('stored.new', text.encode(`order ${n}`));
await attempt(() => stream.publish('elsewhere.new', text.encode('lost')));
const consumer = await stream.consumers.get('ORDERS', 'billing');
const batch = await consumer.fetch({ max_messages: 4, expires: 1000 });
let n = 0;
for await (const message of batch) {
  n += 1;
  if (n === 2) message.nak();
  else if (n === 3) message.term();
  else message.ack();
}
await client.flush();
await attempt(() => connect({ servers, user: 'shop', pass: 'hunter2-wrong', reconnect: false }));
const guest = await connect({ servers, user: 'guest', pass: 'hunter2-guest' });
guest.publish('private.thing', text.encode('x'));
await guest.flush();
await new Promise((resolve) => setTimeout(resolve, 200));
await guest.close();
await client.drain();
await service.drain();
