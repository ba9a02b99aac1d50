import { expect, test } from 'vitest';
import { HpackDecoder, UNKNOWN } from '../../../../src/analyze/protocols/http2/hpack.ts';
import { Random } from '../../../support/random.ts';

function decoded(decoder: HpackDecoder, hex: string): string[] | undefined {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const fields: string[] = [];
  return decoder.decode(bytes, 0, bytes.length, (name, value) => fields.push(`${name}: ${value}`)) ? fields : undefined;
}

// RFC 7541, appendix C.4: requests with Huffman coding on one connection.
test('requests of the RFC, Huffman-coded, over one table', () => {
  const decoder = new HpackDecoder(false);
  const first = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
  expect(decoded(decoder, '828684418cf1e3c2e5f23a6ba0ab90f4ff')).toEqual(first);
  expect(decoded(decoder, '828684be5886a8eb10649cbf')).toEqual([...first, 'cache-control: no-cache']);
  expect(decoded(decoder, '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')).toEqual([
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ]);
});

// Appendix C.5: responses, a table of 256 bytes that evicts.
test('responses of the RFC, plain, with eviction', () => {
  const decoder = new HpackDecoder(false);
  decoded(decoder, '3fe101');
  const date = 'date: Mon, 21 Oct 2013 20:13:21 GMT';
  const location = 'location: https://www.example.com';
  expect(
    decoded(
      decoder,
      '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d54' +
        '6e1768747470733a2f2f7777772e6578616d706c652e636f6d',
    ),
  ).toEqual([':status: 302', 'cache-control: private', date, location]);
  expect(decoded(decoder, '4803333037c1c0bf')).toEqual([':status: 307', 'cache-control: private', date, location]);
});

test('an index that the table does not have is an error; unknown when the table was not seen from its beginning', () => {
  expect(decoded(new HpackDecoder(false), 'be')).toBeUndefined();
  expect(decoded(new HpackDecoder(true), 'be')).toEqual([`${UNKNOWN}: ${UNKNOWN}`]);
});

test('a table of which blocks were not seen holds nothing that is known', () => {
  const decoder = new HpackDecoder(false);
  decoded(decoder, '4001610162');
  expect(decoded(decoder, 'be')).toEqual(['a: b']);
  decoder.forget();
  expect(decoded(decoder, 'be')).toEqual([`${UNKNOWN}: ${UNKNOWN}`]);
  // What is added since then is known; what stands behind it is not.
  expect(decoded(decoder, '4001630164')).toEqual(['c: d']);
  expect(decoded(decoder, 'bebf')).toEqual(['c: d', `${UNKNOWN}: ${UNKNOWN}`]);
});

test('any bytes: no exception', () => {
  const random = new Random(5);
  const decoder = new HpackDecoder(true);
  for (let round = 0; round < 20_000; round += 1) {
    decoded(decoder, Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256))).toString('hex'));
  }
});
