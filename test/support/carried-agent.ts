import { WebSocketStreams } from '../../src/agent/listener/websocket-streams.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { countedBytes } from './counted-bytes.ts';

/** A session that carries counted bytes instead of packets: its first line says how many. @param ended gets its code */
export function carriedAgent(ended: (code: number) => void): WebSocketStreams {
  const streams = new WebSocketStreams({ ended });
  const said: string[] = [];

  async function send(total: number): Promise<void> {
    for (let from = 0; from < total; from += 100_000) {
      const bytes = countedBytes(from, Math.min(100_000, total - from));
      await new Promise((resolve) => streams.stdout.write(bytes, resolve));
    }
    streams.stderr.write(`sent ${total}\n`);
  }

  const split = lineSplitter((line) => {
    said.push(line);
    if (/^\d+$/.test(line)) void send(Number(line));
    if (line === 'end') {
      streams.stderr.write(`heard ${said.join(' ')}\n`);
      streams.finish(7);
    }
  });
  streams.stdin.on('data', split);
  streams.stdin.on('end', () => streams.abandon());
  return streams;
}
