// Makes requests, each with its number in the query: request.mjs URL PATH COUNT AT_ONCE [ids], which gives each one an X-Request-Id too.
import { Agent, get } from 'node:http';

const [url, path, countText, atOnceText, ids] = process.argv.slice(2);
const count = Number(countText);
const agent = new Agent({ keepAlive: true, maxSockets: Number(atOnceText) });
const status = {};
let next = 0;
const one = (number) =>
  new Promise((done) => {
    const over = (result) => {
      status[result] = (status[result] ?? 0) + 1;
      done();
    };
    const headers = { host: 'web.shop', ...(ids === 'ids' ? { 'x-request-id': `app-${number}` } : {}) };
    get(`${url}${path}?n=${number}`, { agent, headers }, (response) => {
      response.resume().on('end', () => over(response.statusCode));
    }).on('error', ({ code }) => over(code));
  });
const worker = async () => {
  while (next < count) await one(next++);
};
await Promise.all(Array.from({ length: Number(atOnceText) }, worker));
console.log(JSON.stringify(status));
process.exit(0);
