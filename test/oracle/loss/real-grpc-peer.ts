/** `real-grpc-peer.ts server ADDRESS`, or `client ADDRESS COUNT`: calls that fail, with messages that name them; printed. */
import { connect, createServer, type ServerHttp2Stream } from 'node:http2';

const PORT = 50_051;
const NOT_FOUND = '5';
const [role, address = '', count = '0'] = process.argv.slice(2);

if (role === 'server') serve();
else await call();

function serve(): void {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const number = /\/r(\d+)$/.exec(headers[':path'] ?? '')?.[1] ?? '';
    stream.on('wantTrailers', () => {
      stream.sendTrailers({ 'grpc-status': NOT_FOUND, 'grpc-message': `id${number}` });
    });
    stream.on('error', () => undefined);
    stream.resume();
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.end(message((Number(number) * 37) % 4_000));
    });
  });
  server.listen(PORT, address);
}

async function call(): Promise<void> {
  const session = connect(`http://${address}:${PORT}`);
  for (let index = 0; index < Number(count); index += 1) {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/shop.Cart/r${index}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(message((index * 11) % 500));
    const said = await new Promise<string>((resolve, reject) => {
      stream.on('trailers', (trailers) => resolve(String(trailers['grpc-message'])));
      stream.on('error', reject).resume();
    });
    console.log(said.replace(/^id/, ''));
  }
  session.close();
}

/** A message of so many bytes behind its five of length. */
function message(length: number): Buffer {
  const bytes = Buffer.alloc(5 + length, 'x');
  bytes[0] = 0;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
