import type { Exchange } from '../../../src/analyze/record/event.ts';
import { impossibleTimes } from '../../analyze/possible-times.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { pcapngOf, type RealPacket } from './real-capture.ts';
import type { RealProgram } from './real-program.ts';

/** What is stated of a capture of real programs, all of whose requests were answered. */
export interface RealVerdict {
  /** What contradicts the client, one sentence each. */
  readonly wrong: readonly string[];
  /** The numbers of the exchanges stated whole and right, with their times: ns since 1970. */
  readonly whole: ReadonlyMap<number, readonly [began: bigint, ended: bigint]>;
  /** Segments that were sent again, as the analysis counts them. */
  readonly retransmissions: number;
}

const POSSIBLE: readonly string[] = [
  'request not seen',
  'request not captured',
  'response not captured',
  'capture ended',
  'unknown',
];

/** Hold what is stated of packets of a program's traffic against what its client was answered. */
export function judgeReal(program: RealProgram, packets: readonly RealPacket[]): RealVerdict {
  const [first] = packets;
  if (first === undefined) return { wrong: [], whole: new Map(), retransmissions: 0 };
  const analysed = analyseBytes(pcapngOf(packets));
  const wrong = impossibleTimes(analysed);
  const whole = new Map<number, readonly [bigint, bigint]>();
  const stated = new Set<number>();
  for (const { event } of analysed.events) {
    if (event.kind !== 'exchange' || event.protocol !== program.protocol) continue;
    const request = program.requestOf(event);
    const answer = program.answerOf(event);
    const problem = problemOf(program, event, request, answer);
    const words = `${event.label.slice(0, 20)} = ${event.status.slice(0, 40)} [${event.incomplete ?? ''}]`;
    if (problem !== undefined) wrong.push(`${words}: ${problem}`);
    if (request === undefined) continue;
    if (stated.has(request)) wrong.push(`${words}: stated twice`);
    stated.add(request);
    if (event.incomplete !== undefined || answer !== request || event.responseEnd === undefined) continue;
    const since = (time: number) => first.time + BigInt(Math.round(time));
    whole.set(request, [since(event.time), since(event.responseEnd)]);
  }
  const retransmissions = analysed.flows.reduce(
    (sum, { tcp }) => sum + (tcp?.client.retransmissions ?? 0) + (tcp?.server.retransmissions ?? 0),
    0,
  );
  return { wrong, whole, retransmissions };
}

function problemOf(
  program: RealProgram,
  { incomplete, failed, status }: Exchange,
  request: number | undefined,
  answer: number | undefined,
): string | undefined {
  if (incomplete !== undefined && !POSSIBLE.includes(incomplete)) return 'it was answered in full';
  const isProven = answer === undefined ? program.showsFailure?.(status) === true : program.fails(answer);
  if (failed && !isProven) return 'it did not fail';
  const isPair = request !== undefined && answer !== undefined && incomplete !== 'unknown';
  return isPair && request !== answer ? `the answer of request ${answer}` : undefined;
}
