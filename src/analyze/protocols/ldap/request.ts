import { oneLine } from '../one-line.ts';
import { Element } from './ber.ts';
import { OPERATION } from './message.ts';
import { extendedName } from './results.ts';

const SIMPLE = 0x80;
const SASL = 0xa3;

const SCOPES: readonly string[] = ['base', 'one', 'sub', 'children'];

const NAMES: ReadonlyMap<number, string> = new Map([
  [OPERATION.bind, 'bind'],
  [OPERATION.search, 'search'],
  [OPERATION.modify, 'modify'],
  [OPERATION.add, 'add'],
  [OPERATION.delete, 'delete'],
  [OPERATION.modifyDn, 'modifyDN'],
  [OPERATION.compare, 'compare'],
  [OPERATION.extended, 'extended'],
]);

/** What a request is about. */
export interface Asked {
  readonly operation: string;
  /** The distinguished name that it is about; an extended operation's name. */
  readonly name: string;
  /** Of a search. */
  readonly scope: string;
  /** How a bind authenticates: `simple`, a SASL mechanism, `anonymous`. */
  readonly mechanism: string;
}

const part = new Element();

/** Reads a request's operation; undefined for one that has no answer. No credentials are read. */
export function readRequest(operation: Element, bytes: Uint8Array, end: number): Asked | undefined {
  const { tag } = operation;
  const name = NAMES.get(tag);
  if (name === undefined) return undefined;
  const asked = { operation: name, name: '', scope: '', mechanism: '' };
  const limit = Math.min(end, operation.end);
  if (tag === OPERATION.delete) return { ...asked, name: oneLine(operation.text(bytes, end)) };
  if (part.read(bytes, operation.start, limit) !== true) return asked;
  if (tag === OPERATION.bind && !part.next(bytes, limit)) return asked;
  const text = oneLine(part.text(bytes, limit));
  if (tag === OPERATION.extended) return { ...asked, name: extendedName(text) };
  if (tag === OPERATION.search) {
    const scope = part.next(bytes, limit) ? (SCOPES[part.number(bytes, limit)] ?? '') : '';
    return { ...asked, name: text, scope };
  }
  if (tag !== OPERATION.bind) return { ...asked, name: text };
  return { ...asked, name: text, mechanism: part.next(bytes, limit) ? mechanismOf(text, bytes, limit) : '' };
}

/** By the choice of authentication, which `part` is. */
function mechanismOf(name: string, bytes: Uint8Array, end: number): string {
  if (part.tag === SIMPLE) return name === '' && part.start === part.end ? 'anonymous' : 'simple';
  if (part.tag !== SASL || part.read(bytes, part.start, end) !== true) return '';
  return oneLine(part.text(bytes, end));
}

/** `search ou=people,dc=shop`, `bind cn=admin,dc=shop`, `bind GSSAPI`. */
export function askedText({ operation, name, mechanism }: Asked): string {
  if (operation === 'bind') return `bind ${name || mechanism}`.trimEnd();
  return `${operation} ${name || (operation === 'search' ? '(root)' : '')}`.trimEnd();
}

/** Containers, whose names are few. */
const CONTAINER = /^\s*(?:dc|ou|o|c|l|st)\s*=/i;

/** What it is counted under: the operation and the name, whose first part is left out where it names one thing among many. */
export function askedRoute(asked: Asked): string {
  if (asked.operation === 'bind') return 'bind';
  const { name } = asked;
  if (name === '' || CONTAINER.test(name) || !name.includes('=')) return askedText(asked);
  const attribute = name.slice(0, name.indexOf('='));
  // A comma that a backslash precedes belongs to the value.
  const comma = /(?<!\\),/.exec(name)?.index ?? name.length;
  return `${asked.operation} ${attribute}=*${name.slice(comma)}`;
}
