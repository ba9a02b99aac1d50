import { type Message, SIDE } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';

/** A request, on a separate connection, to cancel what another connection does: it has no answer. */
export function cancelRequest(time: number, bytes: number): Message {
  const base = { kind: 'message', protocol: 'postgresql', from: SIDE.client } as const;
  return { ...base, label: 'cancel request', time, bytes, fields: { sql: { command: 'CANCEL' } } };
}

/** What a NOTIFY on a channel brings to those who LISTEN. */
export function notification(channel: string, time: number, bytes: number): Message {
  const base = { kind: 'message', protocol: 'postgresql', from: SIDE.server } as const;
  return { ...base, label: oneLine(`NOTIFY ${channel}`), time, bytes, fields: { sql: { command: 'NOTIFY' } } };
}
