import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { AnalysisSession } from '../../src/analyze/engine/session.ts';
import { Summary } from '../../src/analyze/summary/summary.ts';
import { Top } from '../../src/cli/top/model.ts';
import type { Frame } from '../../src/view/top/frame.ts';
import { TOP_VIEWS } from '../../src/view/top/index.ts';
import { FRAME_MS } from '../../src/view/top/limits.ts';
import { changes } from '../../src/view/top/paint.ts';
import { TopScreen } from '../../src/view/top/screen.ts';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import {
  enhancedPacketBytes,
  interfaceDescription,
  sectionHeader,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';
import { plainSettings } from '../support/analysis-session.ts';
import { nginxCapture } from './support/big-capture.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { flowCapture } from './support/flow-capture.ts';
import type { Kept } from './support/kept.ts';
import { samplesOf } from './support/measure.ts';

const RATE = 10_000;
const SECONDS = 4;
const ROUNDS = 3;
const CHUNK = 64 * 1024;

/** What one run took: seconds of CPU in the analysis and what it feeds, and what was drawn. */
interface Run {
  readonly cpu: number;
  readonly exchanges: number;
  readonly drawn: { readonly frames: number; readonly bytes: number; readonly seconds: number } | undefined;
}

/** The cost of the screen at 10,000 exchanges a second, view by view, against that of the analysis it draws. */
export const topScreen: Bench = {
  name: 'top-screen',
  about: `what ksnoop top costs at ${RATE} exchanges a second beyond the analysis: keeping what is listed, and drawing`,
  async run() {
    const small = await flowCapture('flows-1k.pcap', 1_000, 1_000);
    const large = await nginxCapture();
    const figures: Figure[] = [];
    for (const { name } of TOP_VIEWS) figures.push(await measure(`top, ${name}`, small, name));
    figures.push(await measure('top, 25 kB each', large, 'services'));
    return figures;
  },
};

async function measure(name: string, { path, about }: Kept, view: string): Promise<Figure> {
  const alone: number[] = [];
  const beyond: number[] = [];
  let last: Run | undefined;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const analysis = await analysisAlone(path);
    const screen = await withScreen(path, view);
    if (round === 0) continue;
    alone.push(analysis.cpu);
    beyond.push(Math.max(0, screen.cpu - analysis.cpu) + (screen.drawn?.seconds ?? 0));
    last = screen;
  }
  const { frames = 0, bytes = 0, seconds = 0 } = last?.drawn ?? {};
  const drawing = ((seconds / samplesOf(alone).median) * 100).toFixed(1);
  return figure({
    name,
    unit: 's of CPU',
    ours: samplesOf(beyond),
    peer: samplesOf(alone),
    against: `the analysis of the same ${last?.exchanges} exchanges in ${SECONDS} s, added up as -o summary`,
    goal: { relation: '<=', ratio: 0.1 },
    notes: [
      about,
      `drawing alone ${(seconds * 1000).toFixed(0)} ms, ${drawing} % of the analysis: ${(frames / SECONDS).toFixed(1)} frames a second of ${(bytes / Math.max(1, frames)).toFixed(0)} bytes; the rest is keeping events and packets`,
    ],
  });
}

/** Everything is decoded, as for any output that looks at single events, and added up as `-o summary` does. */
async function analysisAlone(path: string): Promise<Run> {
  let exchanges = 0;
  const kind: AnalysisOutputKind = {
    detail: true,
    packets: true,
    create: ({ session: on }) => {
      const sums = new Summary(on.capture.analysis.hosts, on.names);
      return {
        event: (event, flow) => {
          exchanges += 1;
          sums.event(event, flow);
        },
        flowEnded: (flow) => sums.flowEnded(flow),
        packet: () => {},
      };
    },
  };
  const cpu = await paced(path, session(kind), () => exchanges);
  return { cpu, exchanges, drawn: undefined };
}

async function withScreen(path: string, view: string): Promise<Run> {
  const model = new Top({
    live: true,
    trouble: undefined,
    position: undefined,
    reading: undefined,
    replaying: false,
    capture: ({ packets, bytes }) => ({
      source: path,
      packets,
      bytes,
      targets: [],
      nodes: [],
      remarks: [],
      memory: 0,
      gaps: 0,
      bounds: [],
    }),
  });
  const actions = {
    filter: async () => undefined,
    pause: () => {},
    write: async () => '',
    report: async () => '',
    jump: async () => undefined,
    replay: async () => undefined,
    quit: () => {},
  };
  const settings = { views: TOP_VIEWS, view, utf8: true, refresh: () => model.refresh() };
  const screen = new TopScreen(model, actions, settings);
  let shown: Frame | undefined;
  let bytes = 0;
  const canvas = {
    columns: 120,
    rows: 40,
    busy: false,
    draw: (frame: Frame) => {
      bytes += changes(shown, frame, true).length;
      shown = frame;
    },
    forget: () => {},
  };
  const tick = setInterval(() => screen.tick(canvas), FRAME_MS);
  const cpu = await paced(path, session(model.kind), () => model.head.exchanges);
  clearInterval(tick);
  const { frames, spentMs } = screen;
  return { cpu, exchanges: model.head.exchanges, drawn: { frames, bytes, seconds: spentMs / 1000 } };
}

function session(kind: AnalysisOutputKind): AnalysisSession {
  return new AnalysisSession(kind, plainSettings());
}

/** Push a file as a capture brings it, not faster than so many exchanges a second. @returns seconds of CPU that pushing took */
async function paced(path: string, to: AnalysisSession, exchanges: () => number): Promise<number> {
  const began = performance.now();
  let spent = 0;
  for await (const chunk of liveChunks(path)) {
    const before = process.cpuUsage();
    to.push(chunk);
    const { user, system } = process.cpuUsage(before);
    spent += (user + system) / 1e6;
    if (exchanges() >= RATE * SECONDS) return spent;
    const ahead = (exchanges() / RATE) * 1000 - (performance.now() - began);
    if (ahead > 5) await sleep(ahead);
  }
  return spent;
}

/** A file's packets as pcapng in chunks of their own, as a capture brings them. */
async function* liveChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  const buffer = new Uint8Array(CHUNK);
  let chunk = new Uint8Array(0);
  let view = new DataView(chunk.buffer);
  let used = 0;
  const ready: Uint8Array[] = [sectionHeader('', false)];
  const framer = new CaptureFramer({
    interface: (_id, { linkType }) => {
      ready.push(interfaceDescription({ linkType, snaplen: 262_144, name: 'shop/web-1/any', description: '' }));
    },
    packet: (bytes, offset, caplen, origlen, high, low) => {
      const size = enhancedPacketBytes(caplen, false);
      if (used + size > chunk.length) {
        ready.push(chunk.subarray(0, used));
        chunk = new Uint8Array(Math.max(CHUNK, size));
        view = new DataView(chunk.buffer);
        used = 0;
      }
      used = writeEnhancedPacket(chunk, view, used, 0, high, low, caplen, origlen, 0, bytes, offset);
    },
  });
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return;
      framer.push(buffer.subarray(0, bytesRead));
      yield* ready.splice(0);
    }
  } finally {
    await file.close();
  }
}
