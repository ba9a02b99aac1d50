import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { AnalysisSession } from '../../src/analyze/engine/session.ts';
import { KeyLog } from '../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { summary } from '../../src/run/analysis/summary.ts';
import { recordTls } from '../analyze/protocols/tls/decrypt/recorded.ts';
import { tlsCapture } from '../analyze/protocols/tls/decrypt/tls-capture.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { samplesOf, sideBySide } from './support/measure.ts';

const BODY_BYTES = 64 * 1024 * 1024;
const ROUNDS = 5;
const PIECE_BYTES = 64 * 1024;
const TAG_BYTES = 16;

/**
 * Records as large as TLS allows, and as small as servers send them at first, to fit a packet. The ratios are 300 MB/s and 100 MB/s
 * where node:crypto alone opens 1.5 GB/s and 330 MB/s.
 */
const CASES = [
  { name: 'TLS 1.3, records of 16 KiB', fragment: 16_384, ratio: 0.2 },
  { name: 'TLS 1.3, records of 1.4 kB', fragment: 1400, ratio: 0.3 },
] as const;

/** Decrypting and decoding a download, against what OpenSSL alone takes for its records. */
export const readTls: Bench = {
  name: 'read-tls',
  about: 'a download over TLS decrypted with its keys and decoded, against AES-GCM of node:crypto alone',
  async run() {
    const figures: Figure[] = [];
    for (const { name, fragment, ratio } of CASES) {
      const { capture, keyLog } = await download(fragment);
      const records = encrypted(fragment);
      const plain = analysed(capture, undefined).speed;
      const { ours, peer } = await sideBySide(
        ROUNDS,
        async () => analysed(capture, keyLog).speed,
        async () => opened(records),
      );
      const { decrypted } = analysed(capture, keyLog);
      figures.push(
        figure({
          name,
          unit: 'MB/s of processor time',
          ours: samplesOf(ours),
          peer: samplesOf(peer),
          against: 'createDecipheriv(aes-256-gcm) on as many records',
          goal: { relation: '>=', ratio },
          notes: [`the same packets without keys: ${plain.toFixed(0)} MB/s`, `connections decrypted: ${decrypted}`],
        }),
      );
    }
    return figures;
  },
};

/** A download of BODY_BYTES over HTTP/1.1 and TLS 1.3 between Node's own peers. */
async function download(fragment: number) {
  const body = 'x'.repeat(BODY_BYTES);
  const talk = [
    ['GET /file HTTP/1.1\r\nHost: web.shop\r\n\r\n', `HTTP/1.1 200 OK\r\nContent-Length: ${BODY_BYTES}\r\n\r\n${body}`],
  ] as const;
  const recorded = await recordTls({ version: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384', fragment, talk });
  return { capture: tlsCapture(recorded.steps), keyLog: recorded.keyLog };
}

/** Content of the download for each second of the processor, in MB, and how many connections were decrypted. */
function analysed(capture: Uint8Array, keyLog: string | undefined): { speed: number; decrypted: number } {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(keyLog);
  const seconds = processorSeconds(() => {
    const session = new AnalysisSession(summary, {
      keys,
      line: () => {},
      colour: false,
      align: false,
      width: undefined,
      json: false,
      where: undefined,
      choice: undefined,
      showSecrets: false,
    });
    for (let start = 0; start < capture.length; start += PIECE_BYTES) {
      session.push(capture.subarray(start, start + PIECE_BYTES));
    }
    session.end();
  });
  return { speed: BODY_BYTES / 1e6 / seconds, decrypted: keys.decrypted };
}

/** BODY_BYTES as records of AES-GCM. */
function encrypted(fragment: number) {
  const [key, iv] = [randomBytes(32), randomBytes(12)];
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  const sealed = Buffer.concat([cipher.update(Buffer.alloc(fragment)), cipher.final()]);
  return { key, iv, sealed, tag: cipher.getAuthTag(), count: Math.ceil(BODY_BYTES / fragment) };
}

function opened({ key, iv, sealed, tag, count }: ReturnType<typeof encrypted>): number {
  const seconds = processorSeconds(() => {
    for (let record = 0; record < count; record += 1) {
      const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(tag);
      decipher.update(sealed);
      decipher.final();
    }
  });
  return BODY_BYTES / 1e6 / seconds;
}

function processorSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
