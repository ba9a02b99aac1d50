import { type Bounds, invalid, parseJson, requireInteger, requireObject } from './guard.ts';
import { requireBoolean, requireMatch, UID } from './ticket-members.ts';

/** Of packets and bytes. */
const COUNT: Bounds = { minimum: 0, maximum: Number.MAX_SAFE_INTEGER };

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
      packets: requireInteger(count, 'packets', where, COUNT),
      bytes: requireInteger(count, 'bytes', where, COUNT),
      runs: requireBoolean(count, 'runs', where),
    };
  });
}
