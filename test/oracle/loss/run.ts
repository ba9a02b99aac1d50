import { Random } from '../../support/random.ts';
import { captured, fileOf, type Losses, type Place, randomLosses } from './capture.ts';
import { randomBehaviour, runConnection } from './connection.ts';
import { CONVERSATIONS, type ConversationName } from './index.ts';
import { judge } from './judge.ts';
import { randomNetwork } from './network.ts';

export const NAMES = Object.keys(CONVERSATIONS) as ConversationName[];

export interface RunResult {
  /** `http1, seed 17, serial, random 53 ‰: GET /r3 = 405 …` */
  readonly wrong: readonly string[];
  readonly whole: number;
  readonly stated: number;
}

/** What happens to packets: the capture misses them; the network loses them as well; the capture keeps their beginnings. */
export const SCENARIOS = ['capture', 'network', 'snaplen'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Bytes of a packet that captures keep: of headers, or of those and the beginning of what they carry. */
const SNAPLENS = [68, 96, 128, 256, 1_000] as const;

/** A run's capture and how it came about. The same for the same name, seed and scenario. */
export function made(name: ConversationName, seed: number, scenario: Scenario = 'capture') {
  const random = new Random(seed);
  const conversation = CONVERSATIONS[name](3 + random.below(40), random);
  const network = scenario === 'network' ? randomNetwork(new Random(seed)) : undefined;
  const behaviour = randomBehaviour(random);
  const client = conversation.isSerial === true ? ({ client: 'serial', depth: 1 } as const) : {};
  const connection = runConnection(conversation, { ...behaviour, ...client }, random, network);
  const places = randomPlaces(random);
  const losses = randomLosses(random);
  const seen = captured(connection, places, losses, random);
  const snaplen = scenario === 'snaplen' ? SNAPLENS[random.below(SNAPLENS.length)] : undefined;
  return { connection, places, losses, seen, file: fileOf(connection, seen, places, snaplen) };
}

/** Make a conversation, lose some of its packets, and judge what is stated of the rest. */
export function run(name: ConversationName, seed: number, scenario: Scenario = 'capture'): RunResult {
  const { connection, places, losses, seen, file } = made(name, seed, scenario);
  if (seen.length === 0) return { wrong: [], whole: 0, stated: 0 };
  const verdict = judge(connection, seen, places, file);
  const { client, depth } = connection.behaviour;
  const about = `${name}, ${scenario}, seed ${seed}, ${client} ${depth}, ${describe(losses)}, ${places.length} places`;
  return { ...verdict, wrong: verdict.wrong.map((problem) => `${about}: ${problem}`) };
}

function describe({ kind, perMille, cutStart, cutEnd, swaps, copies }: Losses): string {
  const cut = cutStart > 0 || cutEnd > 0 ? `, cut ${cutStart}-${cutEnd}` : '';
  return `${kind} ${perMille} per mille${cut}${swaps ? ', swaps' : ''}${copies ? ', copies' : ''}`;
}

/** One place mostly; at times client's and server's, whose clocks differ. */
function randomPlaces(random: Random): Place[] {
  if (random.below(4) > 0) return [{ at: [0, 0.5, 1][random.below(3)] as number, clock: 0 }];
  return [
    { at: 0, clock: 0 },
    { at: 1, clock: (random.below(10_000) - 5_000) * 1_000 },
  ];
}

/** Many runs of one protocol, with the seeds from `first` on, together. */
export function runMany(
  name: ConversationName,
  first: number,
  count: number,
  scenario: Scenario = 'capture',
): RunResult {
  const wrong: string[] = [];
  let whole = 0;
  let stated = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const result = run(name, seed, scenario);
    wrong.push(...result.wrong);
    whole += result.whole;
    stated += result.stated;
  }
  return { wrong, whole, stated };
}
