import { Merge } from '../../src/capture/streams/merge.ts';
import { parseAgentEvent, parseCaptureRequest, parseControl } from '../../src/wire/agent-protocol.ts';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { KsnoopError } from '../../src/wire/errors.ts';
import { parseExecStatus } from '../../src/wire/exec-channel.ts';
import { lineSplitter } from '../../src/wire/lines.ts';
import { Resumable } from '../../src/wire/resumable.ts';
import {
  AGENT_CHANNELS,
  CHANNEL,
  CLIENT_CHANNELS,
  encodeFrame,
  FRAME_KIND,
  parseSessionPath,
  sessionPath,
} from '../../src/wire/session-frame.ts';
import { describe, end, header, names, packet, statistics } from '../support/pcapng-sample.ts';
import type { Random } from '../support/random.ts';

/** What was made of inputs: each kind must have some of both, or nothing was tested. */
export interface Fuzzed {
  taken: number;
  refused: number;
}

/** Takes one input; throws a KsnoopError for one that is refused. */
type Subject = (bytes: Buffer, random: Random) => void;

const nothing = () => {};

const STREAM = Buffer.concat([
  header(),
  describe('shop/web-1/any'),
  describe('shop/web-2/any'),
  names(),
  packet(0, 1_000n, Buffer.from('first')),
  packet(1, 2_000n, Buffer.from('second one')),
  statistics(0, 3_000n, 3_000n),
  end(),
]);

const behindLengths = (frames: readonly Uint8Array[]) =>
  Buffer.concat(frames.map((frame) => Buffer.concat([Buffer.of(frame.length), frame])));

/** What an agent sends, and what a client does. */
const FRAMES = [
  behindLengths([
    encodeFrame(FRAME_KIND.acknowledge, CHANNEL.stdin, 0),
    encodeFrame(FRAME_KIND.data, CHANNEL.stdout, 0, Buffer.from('packets')),
    encodeFrame(FRAME_KIND.data, CHANNEL.stderr, 0, Buffer.from('{"type":"alive"}\n')),
    encodeFrame(FRAME_KIND.data, CHANNEL.exit, 0, Buffer.from('0')),
    encodeFrame(FRAME_KIND.data, CHANNEL.stdout, 7, Buffer.from('more')),
  ]),
  behindLengths([
    encodeFrame(FRAME_KIND.acknowledge, CHANNEL.stdout, 0),
    encodeFrame(FRAME_KIND.data, CHANNEL.stdin, 0, Buffer.from('{"type":"heartbeat"}\n')),
    encodeFrame(FRAME_KIND.acknowledge, CHANNEL.stderr, 0),
  ]),
];

const TEXTS = [
  '{"type":"hello","protocol":"1.2","version":"0.1.0","node":"n"}',
  '{"type":"started","target":"a","interface":"shop/web/any","id":0}',
  '{"type":"counters","target":"a","id":0,"counters":{"captured":1,"received":2}}',
  '{"type":"failed","code":"BAD_FILTER","message":"syntax error","hint":"look"}',
  '{"type":"end","reason":"stopped"}',
  '{"type":"add","target":{"key":"a","kind":"pod","namespace":"n","pod":"p","uid":"u","containers":[{"name":"c","id":"i"}]}}',
  '{"type":"remove","key":"a"}',
  '{"type":"clock","sentAt":5,"time":6}',
  `{"type":"capture","protocol":"1.0","session":"${'0'.repeat(32)}","targets":[{"key":"a","kind":"host","filter":"tcp"}],"interface":"any","snaplen":96,"maxDurationMs":5}`,
  '{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"1"}]}}',
  sessionPath({ id: 'a'.repeat(32), windowMs: 25_000, compress: 'auto', isNew: true, key: 'b'.repeat(64) }),
  sessionPath({
    id: 'a'.repeat(32),
    windowMs: 25_000,
    compress: 'off',
    isNew: false,
    attempt: 1,
    proof: 'c'.repeat(128),
  }),
];

/** Each with its seeds. */
export const SUBJECTS: Readonly<Record<string, { readonly seeds: readonly Buffer[]; readonly take: Subject }>> = {
  'session frames': { seeds: FRAMES, take: takeFrames },
  "an agent's capture": { seeds: [STREAM], take: takeStream },
  'a capture file': { seeds: [STREAM], take: takeFile },
  'control texts': { seeds: TEXTS.map((text) => Buffer.from(`${text}\n`)), take: takeTexts },
};

/**
 * Change a seed in a few places, `count` times, and hand it over.
 * @throws what a subject throws besides KsnoopErrors
 */
export function fuzz(name: string, count: number, random: Random): Fuzzed {
  const { seeds, take } = SUBJECTS[name] as (typeof SUBJECTS)[string];
  const fuzzed = { taken: 0, refused: 0 };
  for (let index = 0; index < count; index += 1) {
    const bytes = mutated(seeds[random.below(seeds.length)] as Buffer, random);
    try {
      take(bytes, random);
      fuzzed.taken += 1;
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw new Error(`${name}: ${bytes.toString('hex')}`, { cause: thrown });
      fuzzed.refused += 1;
    }
  }
  return fuzzed;
}

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x7b, 0x7d, 0x30, 0x39, 0x2d];

function mutated(seed: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(seed);
  for (let change = random.below(4); change >= 0; change -= 1) {
    const at = random.below(bytes.length + 1);
    const kind = random.below(5);
    if (kind === 0) bytes = bytes.subarray(0, at);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(random.below(at + 1))]);
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random.below(8)))]);
    else if (at < bytes.length) {
      bytes[at] = kind === 3 ? random.below(256) : (INTERESTING[random.below(INTERESTING.length)] as number);
    }
    if (bytes.length === 0 || bytes.length > 4_096) return Buffer.from(seed.subarray(0, at));
  }
  return bytes;
}

/** Frames, each behind its length, to both ends of a session. */
function takeFrames(bytes: Buffer): void {
  const handlers = { take: nothing, acknowledged: nothing };
  const client = new Resumable(CLIENT_CHANNELS, AGENT_CHANNELS, handlers);
  const agent = new Resumable(AGENT_CHANNELS, CLIENT_CHANNELS, handlers);
  for (const side of [client, agent]) side.attach({ send: nothing });
  client.write(CHANNEL.stdin, Buffer.from('request'));
  agent.write(CHANNEL.stdout, Buffer.from('packets'));
  const refused: unknown[] = [];
  for (const side of [client, agent]) {
    try {
      for (let at = 0; at < bytes.length; at += 1 + (bytes[at] as number)) {
        side.message(bytes.subarray(at + 1, at + 1 + (bytes[at] as number)));
      }
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      refused.push(thrown);
    }
    side.detach();
  }
  // Each end takes what the other one sends.
  if (refused.length === 2) throw refused[0];
}

function takeStream(bytes: Buffer, random: Random): void {
  const merge = new Merge({ addInterface: nothing, write: nothing });
  const source = merge.addSource('node');
  const cut = random.below(bytes.length + 1);
  source.push(bytes.subarray(0, cut));
  source.push(bytes.subarray(cut));
  source.end();
  merge.flush();
}

function takeFile(bytes: Buffer, random: Random): void {
  const framer = new CaptureFramer({ interface: nothing, packet: nothing, names: nothing, block: nothing });
  const cut = random.below(bytes.length + 1);
  framer.push(bytes.subarray(0, cut));
  framer.push(bytes.subarray(cut));
  framer.nextFile(true);
}

function takeTexts(bytes: Buffer, random: Random): void {
  let refused: unknown;
  const each = (line: string) => {
    for (const parse of [parseAgentEvent, parseControl, parseCaptureRequest, parseExecStatus, parseSessionPath]) {
      try {
        parse(line);
      } catch (thrown) {
        if (!(thrown instanceof KsnoopError)) throw thrown;
        if (parse === parseAgentEvent) refused = thrown;
      }
    }
  };
  const push = lineSplitter(each, 2_048);
  const cut = random.below(bytes.length + 1);
  push(bytes.subarray(0, cut));
  push(bytes.subarray(cut));
  if (refused !== undefined) throw refused;
}
