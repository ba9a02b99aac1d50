// Talks HTTP/2 and gRPC with itself on loopback: node talk-http2.mjs DIRECTORY, where DIRECTORY has @grpc/grpc-js installed.
import http2 from 'node:http2';
import { createRequire } from 'node:module';

const require = createRequire(`${process.argv[2]}/`);
const grpc = require('@grpc/grpc-js');

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const web = http2.createServer({ settings: { maxHeaderListSize: 200_000 } });
web.on('stream', (stream, headers) => {
  const path = headers[':path'];
  stream.on('error', () => {});
  if (path === '/reset') return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
  if (path === '/early') stream.additionalHeaders({ ':status': 103, link: '</style.css>' });
  if (path === '/trailers') {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-check': 'whole' }));
    return stream.end('body');
  }
  if (path === '/large') {
    stream.respond({ ':status': 200, 'content-type': 'application/octet-stream', 'set-cookie': 'session=hush' });
    return stream.end(Buffer.alloc(20_000, 'x'));
  }
  stream.respond({ ':status': path === '/missing' ? 404 : path === '/broken' ? 500 : 200 });
  stream.on('data', () => {});
  stream.end(path === '/missing' ? undefined : 'ok');
});
web.listen(8080, '127.0.0.1');
await wait(200);

const client = http2.connect('http://127.0.0.1:8080', { maxSendHeaderBlockLength: 200_000 });
client.on('error', () => {});
const ask = (headers, body) =>
  new Promise((resolve) => {
    const stream = client.request(headers, { endStream: body === undefined });
    stream.on('close', resolve);
    stream.on('error', () => {});
    stream.resume();
    if (body !== undefined) stream.end(body);
  });
await ask({ ':path': '/', authorization: 'Bearer hush' });
await Promise.all(['/missing', '/large', '/broken', '/early', '/trailers', '/'].map((path) => ask({ ':path': path })));
await ask({ ':path': '/upload', ':method': 'POST' }, Buffer.alloc(17_000, 'y'));
await ask({ ':path': '/', 'x-long': 'z'.repeat(24_000) });
await ask({ ':path': '/reset' });
client.close();
await wait(200);
web.close();

const text = (value) => Buffer.from(value);
const plain = {
  requestSerialize: text,
  requestDeserialize: String,
  responseSerialize: text,
  responseDeserialize: String,
};
const service = {
  Add: { path: '/shop.Cart/Add', requestStream: false, responseStream: false, ...plain },
  List: { path: '/shop.Cart/List', requestStream: false, responseStream: true, ...plain },
  Chat: { path: '/shop.Cart/Chat', requestStream: true, responseStream: true, ...plain },
  Slow: { path: '/shop.Cart/Slow', requestStream: false, responseStream: false, ...plain },
};
const server = new grpc.Server();
server.addService(service, {
  Add: ({ request }, done) =>
    request === 'nothing'
      ? done({ code: grpc.status.NOT_FOUND, details: 'no such item: 100 %' })
      : done(null, `added ${request}`),
  List: (call) => {
    for (let item = 0; item < 5; item += 1) call.write(`item ${item} ${'w'.repeat(item * 2000)}`);
    call.end();
  },
  Chat: (call) => {
    call.on('data', (said) => call.write(`you said ${said}`));
    call.on('end', () => call.end());
  },
  Slow: () => {},
});
await new Promise((resolve) => server.bindAsync('127.0.0.1:50051', grpc.ServerCredentials.createInsecure(), resolve));
const Cart = grpc.makeGenericClientConstructor(service, 'Cart');
const cart = new Cart('127.0.0.1:50051', grpc.credentials.createInsecure());
const unary = (name, request, options = {}) =>
  new Promise((resolve) => cart[name](request, new grpc.Metadata(), options, (error) => resolve(error?.code ?? 0)));
await unary('Add', 'apple');
await unary('Add', 'nothing');
await new Promise((resolve) =>
  cart
    .List('all')
    .on('data', () => {})
    .on('end', resolve),
);
await new Promise((resolve) => {
  const chat = cart.Chat();
  chat.on('data', () => {}).on('end', resolve);
  for (const said of ['one', 'two', 'three']) chat.write(said);
  chat.end();
});
await unary('Slow', 'x', { deadline: Date.now() + 200 });
cart.close();
await wait(200);
server.forceShutdown();
process.exit(0);
