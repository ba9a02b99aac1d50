import { type Notice, SIDE, type Side } from '../record/event.ts';

/** The code of every event that reports that a protocol's analyzer no longer understands one direction. */
export const PROTOCOL_LOST = 'PROTOCOL_LOST';

export interface Loss {
  /** The protocol's name as in its events, and its title for people: `http`, `HTTP`. */
  readonly protocol: string;
  readonly title: string;
  /** Whose bytes are not understood. */
  readonly side: Side;
  /** Where in that side's stream they start; undefined where it is not known. */
  readonly position: number | undefined;
  /** When they came: ns since the analysis' first packet. */
  readonly time: number;
  /** What was expected and not there, a few words: `no frame header`. */
  readonly why: string;
  /** What the analyzer does now, a few words: `resumes at the next request`. */
  readonly next: string;
}

/** The event of an analyzer that stopped understanding a direction; emit it once until that direction is understood again. */
export function protocolLost({ protocol, title, side, position, time, why, next }: Loss): Notice {
  const whose = side === SIDE.client ? 'client' : 'server';
  const where = position === undefined ? '' : ` at byte ${position}`;
  return {
    kind: 'event',
    protocol,
    code: PROTOCOL_LOST,
    label: `${title} not understood${where} from the ${whose}: ${why}; ${next}`,
    time,
    from: side,
    position,
    failed: false,
    fields: {},
  };
}
