/**
 * A web server and its client, to be run inside a network namespace: `web.ts serve` prints a line once it listens on port 8080, answers
 * `/fail…` with 500 and all else with 200; `web.ts get HOST PATH…` requests paths, each with a connection of its own;
 * `web.ts keep HOST COUNT PAUSE_MS PATH` requests `/ok` over one connection, COUNT times, and then PATH.
 */
import { once } from 'node:events';
import { Agent, createServer, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [verb, host = '', ...words] = process.argv.slice(2);
if (verb === 'serve') {
  const server = createServer((request, response) => {
    response.statusCode = request.url?.startsWith('/fail') ? 500 : 200;
    response.end('x'.repeat(2_000));
  }).listen(8080);
  await once(server, 'listening');
  process.stdout.write('listening\n');
}
if (verb === 'get') {
  for (const path of words) await requested(path, new Agent());
}
if (verb === 'keep') {
  const [count, pause, path = ''] = words;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let index = 0; index < Number(count); index += 1) {
    await requested('/ok', agent);
    await sleep(Number(pause));
  }
  await requested(path, agent);
  agent.destroy();
}

async function requested(path: string, agent: Agent): Promise<void> {
  const [response]: IncomingMessage[] = await once(get({ host, port: 8080, path, agent }), 'response');
  if (response !== undefined) await once(response.resume(), 'end');
}
