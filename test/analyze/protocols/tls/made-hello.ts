const two = (value: number) => [value >> 8, value & 255];
const sized = (bytes: readonly number[]) => [...two(bytes.length), ...bytes];
const list = (values: readonly number[]) => values.flatMap(two);
const names = (words: readonly string[]) => words.flatMap((word) => [word.length, ...Buffer.from(word, 'latin1')]);

const record = (type: number, body: readonly number[]) => {
  const message = [type, 0, ...sized(body)];
  return Uint8Array.from([22, 3, 1, ...sized(message)]);
};

export type Extensions = readonly (readonly [type: number, content: readonly number[]])[];

export const EXTENSION = {
  serverName: (name: string) => [0, sized([0, ...sized([...Buffer.from(name)])])] as const,
  alpn: (words: readonly string[]) => [16, sized(names(words))] as const,
  versions: (values: readonly number[]) => [43, [values.length * 2, ...list(values)]] as const,
  signatures: (values: readonly number[]) => [13, sized(list(values))] as const,
};

/** A record with a ClientHello. */
export function madeClientHello(ciphers: readonly number[], extensions: Extensions): Uint8Array {
  const body = extensions.flatMap(([type, content]) => [...two(type), ...sized(content)]);
  return record(1, [3, 3, ...new Array<number>(32).fill(7), 0, ...sized(list(ciphers)), 1, 0, ...sized(body)]);
}

/** A record with a ServerHello. */
export function madeServerHello(cipher: number, extensions: Extensions): Uint8Array {
  const body = extensions.flatMap(([type, content]) => [...two(type), ...sized(content)]);
  return record(2, [3, 3, ...new Array<number>(32).fill(8), 0, ...two(cipher), 0, ...sized(body)]);
}

/** A ClientHello in the form of SSL 2.0. @param ciphers three bytes each */
export function madeSsl2Hello(version: number, ciphers: readonly number[]): Uint8Array {
  const suites = ciphers.flatMap((cipher) => [cipher >> 16, (cipher >> 8) & 255, cipher & 255]);
  const body = [1, ...two(version), ...two(suites.length), 0, 0, 0, 16, ...suites, ...new Array<number>(16).fill(9)];
  return Uint8Array.from([0x80 | (body.length >> 8), body.length & 255, ...body]);
}
