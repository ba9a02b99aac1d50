import type { Readable, Writable } from 'node:stream';

/** Commands of the control pipes (Wireshark Developer's Guide, "Control Protocol"). */
export const COMMAND = {
  initialized: 0,
  set: 1,
  add: 2,
  remove: 3,
  enable: 4,
  disable: 5,
  statusBar: 6,
  information: 7,
  warning: 8,
  error: 9,
} as const;

/** The controls of our toolbar, by number. */
export const CONTROL = { pause: 0, log: 1 } as const;

export interface ControlMessage {
  readonly control: number;
  readonly command: number;
  readonly payload: string;
}

/** The first byte of every message: sync pipe indication. */
const SYNC = 0x54;
const HEADER_BYTES = 6;
const PAYLOAD_MAXIMUM = 65_535;

/** A message as it goes over a control pipe; a longer payload than the protocol has room for is cut. */
export function controlMessage(control: number, command: number, text = ''): Buffer {
  const payload = Buffer.from(text, 'utf8').subarray(0, PAYLOAD_MAXIMUM);
  const message = Buffer.alloc(HEADER_BYTES + payload.length);
  message[0] = SYNC;
  message.writeUIntBE(payload.length + 2, 1, 3);
  message[4] = control;
  message[5] = command;
  payload.copy(message, HEADER_BYTES);
  return message;
}

/** Cuts a control pipe's bytes into messages. Bytes that begin no message are passed over. */
export class ControlReader {
  readonly #take: (message: ControlMessage) => void;
  #rest: Buffer = Buffer.alloc(0);

  constructor(take: (message: ControlMessage) => void) {
    this.#take = take;
  }

  push(chunk: Uint8Array): void {
    let bytes = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const start = bytes.indexOf(SYNC);
      bytes = start < 0 ? Buffer.alloc(0) : bytes.subarray(start);
      if (bytes.length < HEADER_BYTES) break;
      const length = bytes.readUIntBE(1, 3);
      if (length < 2 || length > PAYLOAD_MAXIMUM + 2) {
        bytes = bytes.subarray(1);
        continue;
      }
      const end = HEADER_BYTES - 2 + length;
      if (bytes.length < end) break;
      this.#take({
        control: bytes[4] ?? 0,
        command: bytes[5] ?? 0,
        payload: bytes.toString('utf8', HEADER_BYTES, end),
      });
      bytes = bytes.subarray(end);
    }
    this.#rest = Buffer.from(bytes);
  }
}

/** Messages that wait for Wireshark to read them; later ones are dropped, for they are for looking at only. */
const WAITING_MAXIMUM = 256;

/** ksnoop's side of the control pipes; without pipes (tshark) it neither sends nor receives. */
export class Toolbar {
  #out: Writable | undefined;
  #waiting: Buffer[] = [];

  /** @param onPress called when the user presses a button */
  listen(input: Readable, onPress: (control: number) => void): void {
    const reader = new ControlReader(({ control, command }) => {
      if (command === COMMAND.set) onPress(control);
    });
    input.on('data', (chunk: Uint8Array) => reader.push(chunk));
    input.on('error', () => {});
  }

  /** From now on Wireshark reads the messages. */
  speak(output: Writable): void {
    // A closed toolbar does not end a capture.
    output.on('error', () => {
      this.#out = undefined;
      this.#waiting = [];
    });
    this.#out = output;
    for (const message of this.#waiting.splice(0)) output.write(message);
  }

  log(line: string): void {
    this.#send(controlMessage(CONTROL.log, COMMAND.add, `${line}\n`));
  }

  /** A few words in Wireshark's status bar, for some seconds. */
  status(line: string): void {
    this.#send(controlMessage(0, COMMAND.statusBar, line));
  }

  label(control: number, text: string): void {
    this.#send(controlMessage(control, COMMAND.set, text));
  }

  #send(message: Buffer): void {
    if (this.#out === undefined) {
      if (this.#waiting.length < WAITING_MAXIMUM) this.#waiting.push(message);
    } else if (this.#out.writableLength < PAYLOAD_MAXIMUM) {
      this.#out.write(message);
    }
  }
}
