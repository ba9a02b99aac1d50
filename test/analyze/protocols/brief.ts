import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
import { analyseFile } from '../../support/analysis.ts';

/** What events state, a line each: `GET k = OK`, `GET x = ERR no! [capture ended]`, `message m a`, `CODE label`. */
export function brief(events: readonly AnalysisEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'message') return `message ${event.label} from ${event.from === 0 ? 'client' : 'server'}`;
    if (event.kind === 'event') return `${event.code} ${event.label}`;
    const { label, status, failed, incomplete } = event;
    return `${label} = ${status}${failed ? '!' : ''}${incomplete === undefined ? '' : ` [${incomplete}]`}`;
  });
}

/** The same of a capture file; events of TCP itself are left out. */
export async function briefOfFile(path: string): Promise<string[]> {
  const { events } = await analyseFile(path);
  return brief(events.map(({ event }) => event).filter(({ protocol }) => protocol !== 'tcp'));
}
