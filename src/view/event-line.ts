import type { EventRecord, PeerRecord } from '../analyze/record/record.ts';
import { httpOf } from './body-lines.ts';
import type { Colours } from './colour.ts';
import { addressOf, peerName } from './peer-text.ts';
import { sanitise } from './sanitise.ts';
import { cellWidth, cutToCells, padEnd } from './text-width.ts';
import { clockText } from './time-text.ts';
import { byteShare, byteSize, latencyText } from './units.ts';

/** Cells shown of a label, and of a status. */
const LABEL_WIDTH = 160;
const STATUS_WIDTH = 100;
/** Cells of the text of an error's body. */
const ERROR_WIDTH = 100;
/** Aligned columns grow to what they hold, up to this. */
const PEERS_WIDTH = 72;
const PROTOCOL_WIDTH = 12;
/** Behind every port. */
const NO_PORT = 65_536;
/** The size of a request is shown from so many bytes on. */
const LARGE_REQUEST = 1000;

export interface EventLineStyle {
  readonly colours: Colours;
  /** For a terminal: columns under one another. Else words have one space between them, for grep. */
  readonly align: boolean;
  /** Times are UTC; local unless set. */
  readonly utc?: boolean | undefined;
  /** A protocol's name for people: `http` is `HTTP`. */
  titleOf(protocol: string): string | undefined;
}

/**
 * Events as lines for people, without line feeds:
 * `14:03:07.123456 shop/client-1 > shop/web-1 (10.244.1.5:80) HTTP GET /cart 200 1.2 ms 512 B`.
 * All that came from the network is sanitised.
 */
export class EventLines {
  readonly #style: EventLineStyle;
  #peersWidth = 0;
  #protocolWidth = 0;

  constructor(style: EventLineStyle) {
    this.#style = style;
  }

  line(record: EventRecord): string {
    const { colours } = this.#style;
    const title = sanitise(this.#style.titleOf(record.protocol) ?? record.protocol.toUpperCase());
    const parts = [clockText(record.time, this.#style.utc), this.#peers(record), this.#protocol(title)];
    const whole = sanitise(record.label);
    // The labels of some events begin with the protocol's name.
    const label = cutToCells(whole.startsWith(`${title} `) ? whole.slice(title.length + 1) : whole, LABEL_WIDTH);
    const status = record.status === undefined ? '' : cutToCells(sanitise(record.status), STATUS_WIDTH);
    const red = (text: string) => (record.failed ? colours.failure(text) : text);
    if (label !== '') parts.push(status === '' && record.incomplete === undefined ? red(label) : label);
    if (status !== '') parts.push(red(status));
    if (record.by !== undefined && !/\b(?:client|server)\b/.test(label)) parts.push(red(`by ${record.by}`));
    if (record.code !== undefined) parts.push(colours.aside(`[${sanitise(record.code)}]`));
    const missing = incompleteText(record);
    // Some labels already contain it, `(request not seen)`, and the status of a handshake says it.
    const isSaid = label.includes(`(${missing})`) || (missing === 'no response' && status === 'no answer');
    if (missing !== '' && !isSaid) parts.push(red(`[${missing}]`));
    if (record.latency !== undefined) parts.push(latencyText(record.latency), ...timeParts(record));
    parts.push(...sizes(record));
    const error = errorText(record);
    if (error !== undefined) parts.push(colours.aside(`"${cutToCells(sanitise(error), ERROR_WIDTH)}"`));
    return parts.join(' ');
  }

  #peers({ src, dst }: EventRecord): string {
    const isSourceServer = (src?.port ?? NO_PORT) < (dst?.port ?? NO_PORT);
    const from = peerText(src, isSourceServer);
    const to = peerText(dst, !isSourceServer);
    const plain = `${from.text} > ${to.text}`;
    if (this.#style.align) this.#peersWidth = Math.min(PEERS_WIDTH, Math.max(this.#peersWidth, cellWidth(plain)));
    return padEnd(plain, this.#peersWidth, `${this.#paint(from)} > ${this.#paint(to)}`);
  }

  #paint({ name, text }: PeerText): string {
    if (name === undefined) return text;
    return this.#style.colours.label(name, name) + text.slice(name.length);
  }

  #protocol(title: string): string {
    if (this.#style.align)
      this.#protocolWidth = Math.min(PROTOCOL_WIDTH, Math.max(this.#protocolWidth, cellWidth(title)));
    return padEnd(title, this.#protocolWidth);
  }
}

interface PeerText {
  /** Sanitised; what `text` begins with. */
  readonly name: string | undefined;
  readonly text: string;
}

/** A server by its name with the address and port, a client by its name, a peer without a name by the address and port. */
function peerText(peer: PeerRecord | undefined, isServer: boolean): PeerText {
  if (peer === undefined) return { name: undefined, text: '?' };
  const known = peerName(peer);
  const address = addressOf(peer);
  if (known === undefined) return { name: undefined, text: address };
  const name = sanitise(known);
  return { name, text: isServer ? `${name} (${address})` : name };
}

/** `incomplete: 17.5/200 kB`, `capture ended`, `reset by server: 17.5/200 kB`: what is missing, and how much there is of it. */
export function incompleteText(record: EventRecord): string {
  const { incomplete, endedBy, declaredBytes, responseBytes } = record;
  if (incomplete === undefined) return '';
  const isEnding = incomplete === 'reset' || incomplete === 'closed early';
  const words = isEnding && endedBy !== undefined ? `${incomplete} by ${endedBy}` : incomplete;
  if (declaredBytes === undefined || responseBytes === undefined || responseBytes === 0) return words;
  if (responseBytes >= declaredBytes) return words;
  const share = byteShare(Math.min(responseBytes, declaredBytes), declaredBytes);
  return incomplete === 'response not captured' ? `incomplete: ${share}` : `${words}: ${share}`;
}

/** Of exchanges that took so long the parts are shown, where the server's part is less than this share of the whole. */
const PARTS_FROM_NS = 10e6;
const SERVER_SHARE = 0.7;
/** A smaller part is not shown. */
const PART_SHARE = 0.01;

/** `(request 300 ms, server 20 ms, response 900 ms)`, where sending took a good part of the time. */
function timeParts({ latency, requestTime, serverTime, transferTime }: EventRecord): string[] {
  if (latency === undefined || requestTime === undefined || serverTime === undefined || transferTime === undefined) {
    return [];
  }
  if (latency < PARTS_FROM_NS || serverTime > latency * SERVER_SHARE) return [];
  const parts = [
    ['request', requestTime],
    ['server', serverTime],
    ['response', transferTime],
  ] as const;
  const shown = parts.filter(([, time]) => time > latency * PART_SHARE);
  return [`(${shown.map(([name, time]) => `${name} ${latencyText(time)}`).join(', ')})`];
}

function sizes(record: EventRecord): string[] {
  const { requestBytes, responseBytes } = record;
  const sent = requestBytes ?? 0;
  const received = responseBytes ?? 0;
  if (record.kind === 'message') return [byteSize(sent)];
  if (received === 0) return sent === 0 ? [] : [`sent ${byteSize(sent)}`];
  return sent < LARGE_REQUEST ? [byteSize(received)] : [byteSize(received), `sent ${byteSize(sent)}`];
}

/** The first line of an HTTP error's body. */
function errorText(record: EventRecord): string | undefined {
  const error = httpOf(record)?.error;
  return typeof error === 'string' ? error : undefined;
}
