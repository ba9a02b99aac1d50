// Talks MQTT 5: node talk-mqtt.mjs DIRECTORY, where DIRECTORY has npm's mqtt installed.
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const { connectAsync } = require('mqtt');
const address = 'mqtt://127.0.0.1:1883';
const more = { protocolVersion: 5, username: 'shop', password: 'hunter2-right' };
const attempt = (what) => what().catch((thrown) => console.log(thrown.code, thrown.message));

const client = await connectAsync(address, { ...more, clientId: 'modern', properties: { topicAliasMaximum: 10 } });
await client.subscribeAsync(['news/#', 'weather/+'], { qos: 1 });
await client.publishAsync('news/sport', 'goal', {
  qos: 1,
  properties: { topicAlias: 1, userProperties: { trace: 'abc' } },
});
await client.publishAsync('', 'another', { qos: 1, properties: { topicAlias: 1 } });
await client.publishAsync('news/2026/weather', 'rain', { qos: 2 });
await client.publishAsync('elsewhere/nobody', 'x', { qos: 1 });
await client.publishAsync('orders/0123456789abcdef', 'y', { qos: 0 });
await attempt(() => client.publishAsync('secret/plan', 'z', { qos: 1 }));
await client.unsubscribeAsync('weather/+');
await Promise.all([1, 2, 3].map((n) => client.publishAsync(`orders/${n}`, 'p'.repeat(n * 800), { qos: 1 })));
await new Promise((resolve) => setTimeout(resolve, 300));
await client.endAsync();
await attempt(() =>
  connectAsync(address, { ...more, clientId: 'liar', password: 'hunter2-wrong', reconnectPeriod: 0 }),
);
