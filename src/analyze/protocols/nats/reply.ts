import { latin1, utf8 } from '../../record/text.ts';

/** How a request went, by the words of its reply. */
export interface NatsOutcome {
  /** `ok`, or a code and what the server or the service says of it. */
  readonly status: string;
  readonly code: number;
  readonly error: string;
  readonly failed: boolean;
  /** Of an accepted message: where JetStream has put it. */
  readonly stream: string;
  readonly sequence: number;
}

const OK: NatsOutcome = { status: 'ok', code: 0, error: '', failed: false, stream: '', sequence: 0 };

/** Codes in the head of a reply that are part of normal work: heartbeats, and requests for messages of which none are there. */
const USUAL_STATUS = new Set([100, 404, 408]);

/** Bytes of a reply that are looked at. */
const LOOK_MAXIMUM = 2048;

/**
 * Reads what a reply states of its request.
 * @param start of what follows the message's line
 * @param headerBytes how many of the bytes from there are headers
 */
export function readReply(bytes: Uint8Array, start: number, end: number, headerBytes: number): NatsOutcome {
  if (headerBytes > 0) {
    const head = latin1(bytes, start, Math.min(end, start + Math.min(headerBytes, LOOK_MAXIMUM)));
    const line = /^NATS\/1\.0[ \t]+(\d{3})(?:[ \t]+([^\r\n]{0,256}))?/.exec(head);
    if (line !== null) {
      const code = Number(line[1]);
      return errorOf(code, line[2] ?? (code === 503 ? 'no responders' : ''), !USUAL_STATUS.has(code));
    }
    const code = /^Nats-Service-Error-Code:[ \t]{0,8}(\d{1,9})/im.exec(head);
    const text = /^Nats-Service-Error:[ \t]{0,8}([^\r\n]{0,256})/im.exec(head);
    if (code !== null || text !== null) return errorOf(Number(code?.[1] ?? 0), text?.[1] ?? '', true);
  }
  const body = start + headerBytes;
  // JetStream's answers are JSON, whose errors stand at its beginning.
  if (bytes[body] !== 0x7b) return OK;
  const json = utf8(bytes, body, Math.min(end, body + LOOK_MAXIMUM));
  if (!/^\{(?:"type":"io\.nats\.|"error":\{"code"|"stream":")/.test(json)) return OK;
  const error = /"error":\{"code":(\d{1,9})(?:,"err_code":\d{1,9})?(?:,"description":"((?:[^"\\]|\\.){0,512}))?/.exec(
    json,
  );
  if (error !== null) {
    const code = Number(error[1]);
    return errorOf(code, (error[2] ?? '').replace(/\\(.)/g, '$1'), code !== 404);
  }
  const accepted = /^\{"stream":"([^"\\]{1,256})",\s?(?:"domain":"[^"]{0,256}",\s?)?"seq":(\d{1,16})/.exec(json);
  if (accepted === null) return OK;
  return { ...OK, stream: accepted[1] ?? '', sequence: Number(accepted[2]) };
}

function errorOf(code: number, error: string, failed: boolean): NatsOutcome {
  const status = `${code === 0 ? '' : code} ${error}`.trim() || 'error';
  return { status, code, error, failed, stream: '', sequence: 0 };
}
