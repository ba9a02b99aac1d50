/**
 * A worker of an agent: analyses one session's packets on their node. It is started by its path, with an EdgeRequest as its data,
 * and takes and sends the messages of wire/edge-worker.ts.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { parseEdgeRequest } from '../wire/agent-protocol.ts';
import type { ToAgent, ToWorker } from '../wire/edge-worker.ts';
import { EdgeAnalysis } from './edge-analysis.ts';

/** How often what has waited for long enough is looked for, milliseconds. */
const TICK_MS = 50;

/** So long packets may have waited because this thread had to start, milliseconds: no sign that it cannot keep up. */
const START_MS = 3_000;

const port = parentPort;
if (port === null) throw new Error('this is a worker of ksnoop-agent');
const send = (message: ToAgent) => port.postMessage(message);
const analysis = new EdgeAnalysis(parseEdgeRequest(workerData), (bytes) => send({ type: 'write', bytes }));
const began = performance.now();
const timer = setInterval(() => analysis.tick(), TICK_MS);
port.on('message', (message: ToWorker) => {
  if (message.type === 'not-alone') {
    analysis.notAlone();
    return;
  }
  analysis.push(message.bytes, performance.now() - began < START_MS ? 0 : message.waiting);
  send({ type: 'taken' });
  if (!analysis.ended) return;
  clearInterval(timer);
  port.close();
});
