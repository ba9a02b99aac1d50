import type { ConnectionSecrets } from './key-log.ts';
import { masterKeys, nextTrafficSecret, trafficKeys } from './key-schedule.ts';
import { type RecordCipher, recordCipher } from './record-cipher.ts';
import { type Suite, suiteOf } from './suite.ts';

/** One key of a direction, and what is protected with it. */
export interface Stage {
  readonly name: 'early' | 'handshake' | 'data';
  readonly cipher: RecordCipher;
  /** The stage behind a KeyUpdate. */
  next?(): Stage;
}

/** Suites of TLS 1.3 that a secret of so many bytes fits: the usual ones, where the ServerHello is not known. */
const SUITES_BY_SECRET: ReadonlyMap<number, readonly number[]> = new Map([
  [32, [0x1301, 0x1303, 0x1304]],
  [48, [0x1302]],
]);

/** Stages of TLS 1.3 with one secret: one for each suite that it may belong to. @param suite the one agreed on, where known */
export function tls13Stages(name: Stage['name'], secret: Buffer | undefined, suite: number | undefined): Stage[] {
  if (secret === undefined) return [];
  const numbers = suite === undefined ? (SUITES_BY_SECRET.get(secret.length) ?? []) : [suite];
  return numbers
    .map((number) => suiteOf(number))
    .filter((known) => known !== undefined)
    .map((known) => trafficStage(name, secret, known));
}

function trafficStage(name: Stage['name'], secret: Buffer, suite: Suite): Stage {
  return {
    name,
    cipher: recordCipher(suite, trafficKeys(secret, suite.hash, suite.keyBytes), true, false),
    next: () => trafficStage(name, nextTrafficSecret(secret, suite.hash), suite),
  };
}

/** What is known of a handshake that ended in TLS 1.2's keys. */
export interface Tls12Facts {
  readonly secrets: ConnectionSecrets;
  readonly cipher: number;
  readonly clientRandom: Uint8Array;
  readonly serverRandom: Uint8Array;
  readonly encryptThenMac: boolean;
}

/** The stages of both sides, the client's first; undefined for suites that are not decrypted. */
export function tls12Stages({
  secrets,
  cipher,
  clientRandom,
  serverRandom,
  encryptThenMac,
}: Tls12Facts): readonly [Stage, Stage] | undefined {
  const suite = suiteOf(cipher);
  if (suite === undefined || secrets.master === undefined) return undefined;
  const sizes = {
    mac: suite.mode === 'cbc' ? suite.macBytes : 0,
    key: suite.keyBytes,
    iv: suite.mode === 'poly1305' ? 12 : suite.mode === 'cbc' ? 0 : 4,
  };
  const [client, server] = masterKeys(secrets.master, suite.hash, Buffer.concat([serverRandom, clientRandom]), sizes);
  return [
    { name: 'data', cipher: recordCipher(suite, client, false, encryptThenMac) },
    { name: 'data', cipher: recordCipher(suite, server, false, encryptThenMac) },
  ];
}
