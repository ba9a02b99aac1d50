import { expect, it } from 'vitest';
import { completeRead, type RawReadOptions } from '../../../src/cli/read/options.ts';

const PIPE = { stdin: false, stdout: false };
const complete = (paths: readonly string[], raw: RawReadOptions) => completeRead(paths, raw, PIPE);

it.each<[RawReadOptions, string]>([
  [{ follow: '7' }, '7'],
  [{ follow: '7', hex: true, showSecrets: true }, '7,hex'],
  [{ follow: '7', raw: true, showSecrets: true }, '7,raw'],
])('%j shows one flow', (raw, argument) => {
  const { make, reading } = complete(['a.pcap'], raw);
  expect(make).toMatchObject({ kind: 'lines', output: { name: 'stream' }, argument });
  expect(reading).toMatchObject({ follow: false, paths: ['a.pcap'] });
});

it('--follow without a number reads on as the file grows, wherever the file stands', () => {
  expect(complete(['a.pcap'], { follow: true }).reading).toMatchObject({ follow: true, paths: ['a.pcap'] });
  expect(complete([], { follow: 'a.pcap' }).reading).toMatchObject({ follow: true, paths: ['a.pcap'] });
});

it.each<[RawReadOptions, RegExp]>([
  [{ hex: true }, /--hex shows the bytes of one flow: it needs --follow FLOW/],
  [{ raw: true, follow: true }, /--raw shows the bytes of one flow/],
  [{ follow: '7', hex: true, raw: true }, /--hex and --raw exclude each other/],
  [{ follow: '7', output: 'json' }, /-o has no meaning with it/],
  [{ follow: '7', write: 'b.pcap' }, /-w writes a capture: --follow FLOW has no meaning with it/],
  [{ follow: '7', hex: true }, /secrets in them are not masked/],
  [{ follow: '7', raw: true }, /secrets in them are not masked/],
  [{ output: 'stream=7,hex' }, /secrets in them are not masked/],
  [{ follow: '-1' }, /--follow reads one growing file/],
  [{ follow: '1e3' }, /, or shows one flow: "1e3" is not the number of a flow\.$/],
  [{ output: 'map', json: true, format: 'dot' }, /--json and the format "dot" exclude each other/],
  [{ output: 'summary', body: true }, /The summary output shows no bodies/],
  [{ shard: '4/4' }, /--shard takes INDEX\/COUNT, not "4\/4"/],
  [{ shard: '0/0' }, /--shard takes/],
  [{ shard: '-1/4' }, /--shard takes/],
  [{ shard: '0/4', follow: true }, /no meaning for stdin or --follow/],
  [{ shard: '0/4', write: 'b.pcap' }, /no meaning with -w/],
  [{ write: 'b.pcap', body: true }, /--body has no meaning with it/],
])('%j is refused', (raw, message) => {
  expect(() => complete(['a.pcap'], raw)).toThrow(message);
});

it('--shard is one part of the files', () => {
  expect(complete(['a', 'b'], { shard: '3/16' }).reading).toMatchObject({ shard: { index: 3, of: 16 } });
  expect(complete(['a'], {}).reading.shard).toBeUndefined();
});

it('--body goes with what shows single exchanges', () => {
  expect(complete(['a.pcap'], { output: 'json', body: true }).reading.bodies).toBe(true);
  expect(complete(['a.pcap'], {}).reading.bodies).toBe(false);
});
