import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../../src/analyze/engine/capture-analysis.ts';
import { KeyLog } from '../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { type AnalysisEvent, SIDE } from '../../../../src/analyze/record/event.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { recordTls } from '../tls/decrypt/recorded.ts';
import { tlsCapture } from '../tls/decrypt/tls-capture.ts';

/** A packet; text with bytes below 0x80 only, as what is recorded is text. */
function packet(sequence: number, payload: string): string {
  return `${String.fromCharCode(payload.length, 0, 0, sequence)}${payload}`;
}

/** CLIENT_CONNECT_WITH_DB, CLIENT_PROTOCOL_41, CLIENT_SSL; the greatest packet, a character set, and 23 reserved bytes. */
const LOGIN_HEAD = `\x08\x0a\0\0\0\0\0\x01\x21${'\0'.repeat(23)}`;
const GREETING = `\x0a10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0\x08\x0a\x21\x02\0\0\0\x15${'\0'.repeat(10)}abcdefghijkl\0mysql_native_password\0`;

const PCAP_HEADER = 24;
const PACKET_HEADER = 16;
const EXCHANGES = [
  ['connect bob@shop', 'OK', undefined],
  ['DELETE FROM cart', 'OK', undefined],
];

function mysqlIn(events: readonly AnalysisEvent[]) {
  return events.flatMap((event) =>
    event.kind === 'exchange' && event.protocol === 'mysql' ? [[event.label, event.status, event.incomplete]] : [],
  );
}

/** What is read where the secrets stand between two packets, as ksnoop writes them. */
function readWithSecretsBehind(packets: number, capture: Uint8Array, keyLog: string) {
  let end = PCAP_HEADER;
  const view = new DataView(capture.buffer, capture.byteOffset);
  for (let index = 0; index < packets; index += 1) end += PACKET_HEADER + view.getUint32(end + 8, true);
  const events: AnalysisEvent[] = [];
  const keys = new KeyLog();
  const sink = { event: (event: AnalysisEvent) => void events.push(event), flowEnded: () => {} };
  const analysis = new CaptureAnalysis(sink, { detail: true, showSecrets: false, keys });
  analysis.push(capture.subarray(0, end));
  keys.add(keyLog);
  analysis.push(capture.subarray(end));
  analysis.end();
  return mysqlIn(events);
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s begun by MySQL: the login inside is the first exchange',
  async (version) => {
    const recorded = await recordTls({
      version,
      talk: [
        [packet(2, `${LOGIN_HEAD}bob\0\0shop\0`), packet(3, '\0\0\0\x02\0\0\0')],
        [packet(0, '\x03DELETE FROM cart'), packet(1, '\0\x03\0\x02\0\0\0')],
      ],
    });
    const keys = new KeyLog();
    keys.add(recorded.keyLog);
    const capture = tlsCapture([
      [SIDE.server, Buffer.from(packet(0, GREETING), 'latin1')],
      [SIDE.client, Buffer.from(packet(1, LOGIN_HEAD), 'latin1')],
      ...recorded.steps,
    ]);
    const { events } = analyseBytes(capture, true, 1 << 20, keys);
    expect(mysqlIn(events.map(({ event }) => event))).toEqual(EXCHANGES);
    expect(readWithSecretsBehind(5, capture, recorded.keyLog)).toEqual(EXCHANGES);
  },
);
