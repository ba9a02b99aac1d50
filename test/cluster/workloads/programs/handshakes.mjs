#!/usr/bin/node
// A TLS server for HTTP/1.1 and HTTP/2, and a client that makes exactly N handshakes of four kinds, one of which is refused:
//   handshakes serve PORT CERTIFICATE KEY
//   handshakes make HOST:PORT --n 20
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { connect } from 'node:tls';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { n: { type: 'string', default: '20' } },
});
const [command, where = '', certificate, key] = positionals;

if (command === 'serve') {
  const options = { cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true, minVersion: 'TLSv1.2' };
  createSecureServer(options, (_, response) => response.end('secret\n')).listen(Number(where));
} else {
  const [host, port] = where.split(':');
  const kinds = [
    { servername: 'pay.shop.test', ALPNProtocols: ['h2', 'http/1.1'] },
    { servername: 'login.shop.test', ALPNProtocols: ['http/1.1'] },
    { servername: 'old.shop.test', maxVersion: 'TLSv1.2' },
    { servername: 'ancient.shop.test', minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
  ];
  const report = { sent: 0, made: {}, refused: {} };
  const count = (table, name) => {
    table[name] = (table[name] ?? 0) + 1;
  };
  for (let number = 0; number < Number(values.n); number += 1) {
    const kind = kinds[number % kinds.length];
    report.sent += 1;
    await new Promise((resolve) => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false, ...kind }, () => {
        count(report.made, `${kind.servername} ${socket.getProtocol()}`);
        if (socket.alpnProtocol === 'http/1.1') socket.write('GET /vault HTTP/1.1\r\nHost: shop\r\n\r\n');
        setTimeout(() => socket.end(), 5);
      });
      socket.on('error', () => count(report.refused, kind.servername));
      socket.on('close', resolve);
      socket.resume();
    });
  }
  console.log(JSON.stringify(report));
}
