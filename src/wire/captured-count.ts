import { invalid, parseJson, requireInteger, requireObject } from './guard.ts';
import { requireBoolean, requireMatch, TIME, UID } from './ticket-members.ts';

/** What the sessions of one Capture have captured on a node, as `GET /recordings` has it under `captured`. */
export interface CapturedCount {
  /** UID of the Capture. */
  readonly capture: string;
  readonly packets: number;
  /** Of the stream: packets with their headers of pcapng. */
  readonly bytes: number;
  /** One of its sessions has not ended. */
  readonly runs: boolean;
}

/**
 * Read an agent's counts.
 * @returns undefined of an agent that has none: it is of an earlier version
 * @throws KsnoopError INVALID_MESSAGE
 */
export function parseCapturedCounts(text: string): CapturedCount[] | undefined {
  const where = "agent's counts of Captures";
  const { captured } = requireObject(parseJson(text, where), where);
  if (captured === undefined) return undefined;
  if (!Array.isArray(captured)) throw invalid(where, 'are no list');
  return captured.map((item) => {
    const count = requireObject(item, where);
    return {
      capture: requireMatch(count, 'capture', where, UID),
      packets: requireInteger(count, 'packets', where, TIME),
      bytes: requireInteger(count, 'bytes', where, TIME),
      runs: requireBoolean(count, 'runs', where),
    };
  });
}
