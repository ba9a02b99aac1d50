import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PCAP_RECORD_BYTES, pcapFileHeader, writePcapRecordHeader } from '../../src/wire/pcap-write.ts';

/**
 * Stands in for nsenter, setpriv, prlimit and tcpdump: it is called as the first, and does what files in its directory say.
 * Of a capture it records the arguments, writes the file header and then what it is given, answers SIGUSR1, and ends at SIGINT.
 */
const SCRIPT = `#!/bin/sh
directory=$(dirname "$0")
while [ "$1" != tcpdump ]; do shift; done
echo "$*" >> "$directory/calls"
case " $* " in
*" -d "*)
  [ -e "$directory/refusal" ] || exit 0
  case "$*" in *"$(cat "$directory/refused")"*) ;; *) exit 0 ;; esac
  cat "$directory/refusal" >&2
  exit 1 ;;
*" --print "*)
  if [ -e "$directory/old" ]; then
    echo "tcpdump: unrecognized option '--print'" >&2
    exit 1
  fi
  kind=ring ;;
*" --immediate-mode "*) kind=immediate ;;
*) kind=ring ;;
esac
statistics() {
  echo "$(cat "$directory/received") packets received by filter" >&2
  echo "$(cat "$directory/dropped") packets dropped by kernel" >&2
}
trap statistics USR1
trap 'statistics; exit 0' INT
cat "$directory/header" >&4
echo "tcpdump: listening on eth0" >&2
number=0
while :; do
  if [ -e "$directory/$kind-$number" ]; then
    cat "$directory/$kind-$number" >&4
    number=$((number + 1))
  elif [ -e "$directory/death" ]; then
    cat "$directory/death" >&2
    exit 1
  else
    sleep 0.02
  fi
done
`;

/** A packet: nanoseconds since 1970 and its bytes. */
export interface PlayedPacket {
  readonly time: bigint;
  readonly data: string;
}

/** A tcpdump that captures what a test gives it, without privileges. */
export class PlayedTcpdump {
  readonly #directory = mkdtempSync(join(tmpdir(), 'ksnoop-tcpdump-'));
  readonly #path = process.env.PATH;
  readonly #given = { ring: 0, immediate: 0 };

  constructor() {
    this.#write('nsenter', SCRIPT);
    chmodSync(join(this.#directory, 'nsenter'), 0o755);
    this.#write('header', pcapFileHeader(1, 262_144));
    this.counts(0, 0);
    process.env.PATH = `${this.#directory}${delimiter}${this.#path}`;
  }

  /** What was called, from the word tcpdump on. */
  get calls(): string[] {
    const file = join(this.#directory, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Arguments of the captures among them. */
  get captures(): string[] {
    return this.calls.filter((call) => !call.includes(' -d '));
  }

  /** Have every capture from the ring, or every immediate one, write these packets, one file after the other. */
  give(kind: 'ring' | 'immediate', packets: readonly PlayedPacket[]): void {
    const records = packets.map(({ time, data }) => {
      const record = Buffer.alloc(PCAP_RECORD_BYTES + data.length);
      const view = new DataView(record.buffer, record.byteOffset, PCAP_RECORD_BYTES);
      const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
      writePcapRecordHeader(view, high, low, data.length, data.length);
      record.write(data, PCAP_RECORD_BYTES);
      return record;
    });
    this.#write(`${kind}-${this.#given[kind]}`, Buffer.concat(records));
    this.#given[kind] += 1;
  }

  /** The statistics it prints from now on. */
  counts(received: number, dropped: number): void {
    this.#write('received', String(received));
    this.#write('dropped', String(dropped));
  }

  /** Be a tcpdump before 4.99, which cannot print and write. */
  beOld(): void {
    this.#write('old', '');
  }

  /** Refuse every filter that contains a text. */
  refuseFilters(containing: string, words: string): void {
    this.#write('refused', containing);
    this.#write('refusal', words);
  }

  /** End every capture with these words. */
  die(words: string): void {
    this.#write('death', words);
  }

  remove(): void {
    process.env.PATH = this.#path;
    rmSync(this.#directory, { recursive: true });
  }

  /** Whole at once: what is looked for is never seen half written. */
  #write(name: string, content: string | Uint8Array): void {
    const draft = join(this.#directory, `draft-${name}`);
    writeFileSync(draft, content);
    renameSync(draft, join(this.#directory, name));
  }
}
