// Answers requests on 8080, and writes a line for each to a file: its path and its X-Request-Id. /slow takes longer, /gone fails.
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';

createServer((request, response) => {
  const { url = '', headers } = request;
  appendFileSync(process.argv[2], `${url} ${headers['x-request-id'] ?? '-'}\n`);
  const body = `answer to ${url}\n`;
  response.statusCode = url.includes('gone') ? 503 : 200;
  response.setHeader('content-length', body.length);
  setTimeout(() => response.end(body), url.includes('slow') ? 120 : 0);
}).listen(8080);
