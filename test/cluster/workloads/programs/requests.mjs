#!/usr/bin/node
// Makes exactly N HTTP requests and reports what came of them:
//   requests --n 1000 --url http://web/ --paths ok,missing --run ID [--concurrency 8] [--keep-alive] [--pause 100] [--seconds 60]
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '10' },
    url: { type: 'string', default: 'http://web/' },
    paths: { type: 'string', default: 'ok' },
    run: { type: 'string', default: 'none' },
    concurrency: { type: 'string', default: '4' },
    'keep-alive': { type: 'boolean', default: false },
    host: { type: 'string' },
    /** After each request of a worker, milliseconds. */
    pause: { type: 'string', default: '0' },
    /** No request begins later; fewer than N are made then. */
    seconds: { type: 'string', default: 'Infinity' },
  },
});
const total = Number(values.n);
const pauseMs = Number(values.pause);
const end = performance.now() + Number(values.seconds) * 1000;
const paths = values.paths.split(',');
const agent = new Agent({ keepAlive: values['keep-alive'], maxSockets: Number(values.concurrency) });
const report = { run: values.run, sent: 0, answered: 0, failed: 0, status: {}, errors: {} };

function request(number) {
  const url = new URL(`${paths[number % paths.length]}?run=${values.run}&n=${number}`, values.url);
  const headers = { 'x-run-id': values.run, ...(values.host && { host: values.host }) };
  return new Promise((resolve) => {
    const failed = (error) => {
      report.failed += 1;
      report.errors[error.code ?? error.message] = (report.errors[error.code ?? error.message] ?? 0) + 1;
      resolve();
    };
    report.sent += 1;
    get(url, { agent, headers, timeout: 30_000 }, (response) => {
      response.resume();
      response.on('error', failed);
      response.on('end', () => {
        report.answered += 1;
        report.status[response.statusCode] = (report.status[response.statusCode] ?? 0) + 1;
        resolve();
      });
    })
      .on('timeout', function () {
        this.destroy(new Error('timeout'));
      })
      .on('error', failed);
  });
}

let next = 0;
async function worker() {
  while (next < total && performance.now() < end) {
    await request(next++);
    if (pauseMs > 0) await sleep(pauseMs);
  }
}
await Promise.all(Array.from({ length: Number(values.concurrency) }, worker));
agent.destroy();
console.log(JSON.stringify(report));
