#!/usr/bin/node
// An echo over WebSocket (the package ws on both sides), and a client that sends exactly N messages and counts the answers:
//   websocket serve PORT
//   websocket send ws://talk:8081/echo --n 20 --run ID
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { n: { type: 'string', default: '10' }, run: { type: 'string', default: 'none' } },
});
const [command, where] = positionals;

if (command === 'serve') {
  new WebSocketServer({ port: Number(where) }).on('connection', (socket) => {
    socket.on('message', (message, isBinary) => socket.send(message, { binary: isBinary }));
  });
} else {
  const total = Number(values.n);
  const report = { run: values.run, sent: 0, answered: 0, text: 0, binary: 0 };
  const socket = new WebSocket(`${where}?run=${values.run}`);
  const next = () => {
    if (report.sent === total) return socket.close(1000, 'done');
    const isBinary = report.sent % 2 === 1;
    const message = `${values.run} ${report.sent} ${'x'.repeat((report.sent * 37) % 400)}`;
    report.sent += 1;
    report[isBinary ? 'binary' : 'text'] += 1;
    socket.send(isBinary ? Buffer.from(message) : message);
  };
  socket.on('open', next);
  socket.on('message', () => {
    report.answered += 1;
    next();
  });
  socket.on('close', () => console.log(JSON.stringify(report)));
}
