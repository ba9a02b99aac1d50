import { u8, u16 } from '../../bytes.ts';
import { SIDE, type Side } from '../../record/event.ts';
import { maskText } from '../../record/secrets.ts';
import { latin1, utf8 } from '../../record/text.ts';
import { NumberedConnection, type NumberedProtocol, type NumberedReader, type Said } from '../numbered-connection.ts';
import { oneLine } from '../one-line.ts';
import type { StreamContext, StreamProtocol } from '../protocol.ts';
import { TNS_HEADER, TNS_SEEK, TYPE, tnsBegins, tnsLength, tnsLikeness } from './packet.ts';

const KEEP = 4096;
/** Of a packet with data: the flags before them, and the function that says how a call went. */
const DATA_AT = 10;
const CALL_ENDED = 4;
const KEY = 'connect';

const ABOUT: NumberedProtocol = {
  protocol: 'tns',
  title: 'Oracle',
  header: TNS_HEADER,
  keep: KEEP,
  lengthOf: tnsLength,
  seek: TNS_SEEK,
  begins: (side, bytes, start, end) => tnsBegins(bytes, start, end) === (side === SIDE.client ? 'client' : 'server'),
};

const SERVICE = /\((?:SERVICE_NAME|SID)[ ]?=[ ]?([^()\s]{1,128})\)/i;
const PROGRAM = /\(PROGRAM[ ]?=[ ]?([^()]{1,128})\)/i;
const ERROR_CODE = /\((?:ERR|CODE)[ ]?=[ ]?(\d{1,5})\)/;
const ORACLE_ERROR = /(ORA-\d{5}): ([^\n\0]{0,200})/;

/** What one connection says: the CONNECT, whose description may follow in a packet of its own, and errors. */
class TnsReader implements NumberedReader {
  readonly #showSecrets: boolean;
  /** A CONNECT was sent without its description. */
  #isUndescribed = false;

  constructor(showSecrets: boolean) {
    this.#showSecrets = showSecrets;
  }

  read(side: Side, bytes: Uint8Array, start: number, end: number): Said | undefined {
    const type = u8(bytes, start + 4);
    return side === SIDE.client ? this.#asked(type, bytes, start, end) : this.#answered(type, bytes, start, end);
  }

  #asked(type: number, bytes: Uint8Array, start: number, end: number): Said | undefined {
    if (type === TYPE.connect) {
      this.#isUndescribed = false;
      if (end - start < TNS_SEEK) return this.#connect('', false);
      const from = u16(bytes, start + 26);
      const length = u16(bytes, start + 24);
      // One that is in the packet may not have been captured.
      this.#isUndescribed = length > 0 && from + length > tnsLength(bytes, start);
      if (this.#isUndescribed) return { kind: 'beginning' };
      return this.#connect(latin1(bytes, Math.min(end, start + from), Math.min(end, start + from + length)), false);
    }
    if (type !== TYPE.data || !this.#isUndescribed) return undefined;
    this.#isUndescribed = false;
    return this.#connect(latin1(bytes, Math.min(end, start + DATA_AT), end), true);
  }

  /** @param continues the description stood in a packet of its own */
  #connect(description: string, continues: boolean): Said {
    const service = oneLine(SERVICE.exec(description)?.[1] ?? '');
    const program = oneLine(PROGRAM.exec(description)?.[1] ?? '');
    const route = service === '' ? 'CONNECT' : `CONNECT ${service}`;
    return {
      kind: 'request',
      key: KEY,
      continues,
      label: route,
      route,
      fields: { service: service || undefined, program: program || undefined },
    };
  }

  #answered(type: number, bytes: Uint8Array, start: number, end: number): Said | undefined {
    switch (type) {
      case TYPE.accept:
        return { kind: 'answer', key: KEY, status: 'accepted', failed: false, fields: { status: 'accepted' } };
      case TYPE.redirect:
        return { kind: 'answer', key: KEY, status: 'redirected', failed: false, fields: { status: 'redirected' } };
      case TYPE.resend:
        return { kind: 'answer', key: KEY, status: 'resend', failed: false, fields: { status: 'resend' } };
      case TYPE.refuse: {
        const code = ERROR_CODE.exec(latin1(bytes, start, end))?.[1];
        const error = code === undefined ? undefined : `ORA-${code.padStart(5, '0')}`;
        const status = error === undefined ? 'refused' : `refused ${error}`;
        return { kind: 'answer', key: KEY, status, failed: true, fields: { status: 'refused', error } };
      }
      case TYPE.data:
        return this.#error(bytes, start, end);
      default:
        return undefined;
    }
  }

  /** A call that ended with an error. Rows may hold such texts too: those begin otherwise. */
  #error(bytes: Uint8Array, start: number, end: number): Said | undefined {
    if (end - start <= DATA_AT || u8(bytes, start + DATA_AT) !== CALL_ENDED) return undefined;
    const [, error, words = ''] = ORACLE_ERROR.exec(utf8(bytes, start + DATA_AT, end)) ?? [];
    if (error === undefined) return undefined;
    const plain = oneLine(words.trimEnd());
    const text = this.#showSecrets ? plain : maskText(plain);
    return {
      kind: 'error',
      code: 'ORACLE_ERROR',
      label: `${error}: ${text}`,
      fields: { error, message: text || undefined },
    };
  }
}

/** Oracle's TNS: connections with their services, refusals, and the errors of calls. What is called is not decoded. */
export const tns: StreamProtocol = {
  name: 'tns',
  title: 'Oracle',
  ports: [1521],
  fields: {
    'tns.service': { type: 'string', about: 'SERVICE_NAME or SID that the client connects to' },
    'tns.program': { type: 'string', about: "the client's program, as it names itself" },
    'tns.status': { type: 'string', about: '`accepted`, `refused`, `redirected` or `resend`' },
    'tns.error': { type: 'string', about: 'code of a refusal or of a call that failed, `ORA-12514`' },
    'tns.message': { type: 'string', about: 'text of a call that failed, secrets masked' },
  },
  probe: tnsLikeness,
  create: (context: StreamContext) => new NumberedConnection(context, ABOUT, new TnsReader(context.showSecrets)),
};
