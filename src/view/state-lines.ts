import type { StateRecord } from '../analyze/state/state-record.ts';
import type { Colours } from './colour.ts';
import { sanitise } from './sanitise.ts';
import { tableLines } from './table.ts';
import { byteSize, counted, grouped, timeSpan } from './units.ts';

/** Listening sockets that are shown; `--json` has all. */
const LISTENING_SHOWN = 12;

/** One network namespace's state for people: what it listens on, its connections, and what the kernel counted. */
export function stateLines(record: StateRecord, width: number | undefined, colours: Colours): string[] {
  const { interface: name, milliseconds, state, changes } = record;
  const during = milliseconds === undefined ? 'at one time only' : `over ${timeSpan(milliseconds)}`;
  const lines = [`${colours.heading(sanitise(name))} ${colours.aside(during)}`];
  const add = (title: string, text: string) => lines.push(`  ${title.padEnd(12)}${text}`);
  if (state.listening !== undefined) {
    const shown = state.listening.slice(0, LISTENING_SHOWN).map(({ address, port, queue }) => {
      const host = address.includes(':') ? `[${address}]` : address;
      return `${host}:${port}${queue === 0 ? '' : ` (${counted(queue, 'connection')} not accepted yet)`}`;
    });
    const left = state.listening.length - shown.length;
    if (left > 0) shown.push(`and ${left} more`);
    add('listens on', shown.join(', ') || 'nothing');
  }
  const connections = Object.entries(state.connections ?? {}).sort((a, b) => b[1] - a[1]);
  if (state.connections !== undefined) {
    add('connections', connections.map(([kind, count]) => `${grouped(count)} ${kind}`).join(', ') || 'none');
  }
  if (state.socketsCut === true) add('', 'there are more sockets than could be read');
  if (state.conntrack !== undefined) {
    const { count, maximum } = state.conntrack;
    add('conntrack', `${grouped(count)} of ${grouped(maximum)} entries`);
  }
  if (state.resolver !== undefined) {
    const { nameservers, search, ndots } = state.resolver;
    const domains = search.length === 0 ? '' : `, search ${search.join(' ')}`;
    add('resolver', sanitise(`${nameservers.join(' ') || 'no server'}${domains}, ndots ${ndots}`));
  }
  for (const { address, destination, port, count } of state.snatPorts ?? [])
    add('SNAT', sanitise(`${address} has ${counted(count, 'connection')} to ${destination} port ${port}`));
  for (const each of state.interfaces ?? []) {
    const bad = [
      ...troubles(each.receiveErrors, each.receiveDropped, 'receiving'),
      ...troubles(each.sendErrors, each.sendDropped, 'sending'),
    ];
    const sizes = `received ${byteSize(each.receivedBytes)}, sent ${byteSize(each.sentBytes)}`;
    add(sanitise(each.name), [sizes, ...bad].join(', '));
  }
  if (changes.length > 0) {
    const columns = [{ title: 'COUNTER' }, { title: 'CHANGE', right: true }, { title: 'TOTAL', right: true }];
    const rows = changes.map(({ counter, change, total }) => [sanitise(counter), grouped(change), grouped(total)]);
    const room = width === undefined ? undefined : width - 2;
    for (const line of tableLines(columns, rows, room, colours)) lines.push(`  ${line}`);
  }
  return lines;
}

function troubles(errors: number, dropped: number, doing: string): string[] {
  return [
    ...(errors > 0 ? [`${grouped(errors)} errors in ${doing}`] : []),
    ...(dropped > 0 ? [`${grouped(dropped)} dropped in ${doing}`] : []),
  ];
}
