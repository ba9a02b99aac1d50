// A WebSocket server and clients of the package ws on loopback: node talk-websocket.mjs
import WebSocket, { WebSocketServer } from 'ws';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const talk = async (port, options) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port, ...options });
  server.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(binary ? data : `you said ${data}`));
    socket.on('error', () => {});
  });
  await wait(100);
  const client = new WebSocket(`ws://127.0.0.1:${port}/feed?token=hush`, options);
  await new Promise((resolve) => client.on('open', resolve));
  client.send('hello');
  client.send(Buffer.alloc(300, 1));
  client.send('a', { fin: false });
  client.ping('are you there');
  client.send('b', { fin: false });
  client.send('c');
  client.send(Buffer.alloc(20_000, 2));
  await wait(200);
  client.close(4000, 'enough of it');
  await wait(200);
  server.close();
};
await talk(8081, { perMessageDeflate: false });
await talk(8082, { perMessageDeflate: { threshold: 0 } });
process.exit(0);
