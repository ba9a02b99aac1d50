import { i32, u8 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { utf8 } from '../../record/text.ts';
import {
  NumberedConnection,
  type NumberedProtocol,
  type NumberedReader,
  type RequestKey,
  type Said,
} from '../numbered-connection.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext, StreamProtocol } from '../protocol.ts';
import { COMMANDS, type Command, ERRORS } from './commands.ts';
import { PULSAR_HEADER, PULSAR_SEEK, pulsarBegins, pulsarLength, pulsarLikeness, varint } from './message.ts';

const TEXT_MAXIMUM = 512;
/** Producers of one connection whose topics are remembered. */
const PRODUCERS_MAXIMUM = 1024;

const ABOUT: NumberedProtocol = {
  protocol: 'pulsar',
  title: 'Pulsar',
  header: PULSAR_HEADER,
  keep: 4096,
  lengthOf: pulsarLength,
  seek: PULSAR_SEEK,
  least: PULSAR_HEADER,
  begins: (_side, bytes, start, end) =>
    pulsarLength(bytes, start) > 0 && end - start < Math.min(PULSAR_SEEK, pulsarLength(bytes, start))
      ? undefined
      : pulsarBegins(bytes, start, end),
};

/** What is read of a command: numbers and texts by the numbers of their fields. Others, such as authentication data, are passed over. */
class Fields {
  readonly numbers = new Map<number, bigint>();
  readonly texts = new Map<number, string>();

  constructor(command: Command, bytes: Uint8Array, start: number, end: number) {
    const { id, topic, producer, sequence, error, text, outcome } = command;
    for (let at = start; at < end; ) {
      const tag = varint(bytes, at, end);
      const field = Number(tag.value >> 3n);
      const kind = Number(tag.value & 7n);
      if (tag.value < 0n || (kind !== 0 && kind !== 2)) return;
      const value = varint(bytes, tag.end, end);
      if (value.value < 0n) return;
      at = value.end;
      if (kind === 0) {
        const isWanted =
          field === id || field === producer || field === sequence || field === error || field === outcome?.[0];
        if (isWanted) this.numbers.set(field, value.value);
        continue;
      }
      if (value.value > BigInt(end - at)) return;
      const length = Number(value.value);
      if (field === topic || field === text)
        this.texts.set(field, utf8(bytes, at, at + Math.min(length, TEXT_MAXIMUM)));
      at += length;
    }
  }

  number(field: number | undefined): bigint | undefined {
    return field === undefined ? undefined : this.numbers.get(field);
  }

  text(field: number | undefined): string {
    return field === undefined ? '' : oneLine(this.texts.get(field) ?? '');
  }
}

/** Commands of one connection: sends name their producer, whose topic was said before. */
class PulsarReader implements NumberedReader {
  readonly #topics = new Map<bigint, string>();
  readonly #showSecrets: boolean;

  constructor(showSecrets: boolean) {
    this.#showSecrets = showSecrets;
  }

  read(side: Side, bytes: Uint8Array, start: number, end: number): Said | undefined {
    const command = COMMANDS.get(u8(bytes, start + 9));
    if (command === undefined || command.kind === 'silent') return undefined;
    if (command.from !== 'either' && (command.from === 'client') !== (side === SIDE.client)) return undefined;
    const whole = start + 8 + i32(bytes, start + 4);
    const stop = Math.min(end, whole);
    const isCut = stop < whole;
    const tag = varint(bytes, start + PULSAR_HEADER, stop);
    const length = varint(bytes, tag.end, stop);
    const fields = new Fields(command, bytes, length.end, stop);
    if (command.kind === 'message') return { kind: 'message', label: command.name, fields: { command: command.name } };
    const key = keyOf(command, fields);
    // Its id may be in what was not captured.
    if (key === undefined && isCut) return undefined;
    if (command.kind === 'answer') return key === undefined ? undefined : this.#answer(command, fields, key, isCut);
    const topic = this.#topic(command, fields);
    const route = topic === '' ? command.name : `${command.name} ${topic}`;
    const shown = { command: command.name, topic: topic || undefined };
    if (key === undefined || side === SIDE.server) return { kind: 'message', label: route, fields: shown };
    return { kind: 'request', key, label: route, route, fields: shown };
  }

  #topic(command: Command, fields: Fields): string {
    const producer = fields.number(command.producer);
    const topic = fields.text(command.topic);
    if (producer === undefined) return topic;
    if (command.topic === undefined) return this.#topics.get(producer) ?? '';
    if (this.#topics.size < PRODUCERS_MAXIMUM || this.#topics.has(producer)) this.#topics.set(producer, topic);
    return topic;
  }

  /** @param isCut its end, which may tell an error, was not captured */
  #answer(command: Command, fields: Fields, key: RequestKey, isCut: boolean): Said {
    const code = fields.number(command.error);
    const [outcome, failure] = command.outcome ?? [];
    const isFailure = outcome !== undefined && fields.number(outcome) === BigInt(failure ?? -1);
    const failed = code !== undefined || isFailure || command.name === 'ERROR' || command.name === 'SEND_ERROR';
    const isKnown =
      !isCut || (outcome === undefined ? command.error === undefined : fields.number(outcome) !== undefined);
    if (!failed) return { kind: 'answer', key, status: isKnown ? 'ok' : '', failed: false, fields: {} };
    const error = code === undefined ? 'error' : (ERRORS[Number(code)] ?? `error ${code}`);
    const plain = fields.text(command.text);
    const text = this.#showSecrets ? plain : maskText(plain);
    return {
      kind: 'answer',
      key,
      status: text === '' ? error : `${error} ${text}`,
      failed: true,
      fields: { error, message: text || undefined },
    };
  }
}

/** The id of a request, or producer and number of a message; CONNECT is the only one without. */
function keyOf(command: Command, fields: Fields): RequestKey | undefined {
  if (command.name === 'CONNECT' || command.name === 'CONNECTED') return CONNECT;
  const producer = fields.number(command.producer);
  const sequence = fields.number(command.sequence);
  if (command.sequence !== undefined) {
    return producer === undefined || sequence === undefined ? undefined : `${producer} ${sequence}`;
  }
  const id = fields.number(command.id);
  // The error of a CONNECT has no id.
  return command.name === 'ERROR' && id === NO_ID ? CONNECT : id;
}

const CONNECT = 'connect';
const NO_ID = 2n ** 64n - 1n;

/** Apache Pulsar's binary protocol. */
export const pulsar: StreamProtocol = {
  name: 'pulsar',
  title: 'Pulsar',
  ports: [6650],
  fields: {
    'pulsar.command': { type: 'string', about: 'the command, `SEND`' },
    'pulsar.topic': { type: 'string', about: 'the topic, also of a SEND whose PRODUCER was seen' },
    'pulsar.error': { type: 'string', about: "the error's name, `TopicNotFound`" },
    'pulsar.message': { type: 'string', about: "the error's text, secrets masked" },
  },
  probe: pulsarLikeness,
  create: (context: StreamContext) => new NumberedConnection(context, ABOUT, new PulsarReader(context.showSecrets)),
};
