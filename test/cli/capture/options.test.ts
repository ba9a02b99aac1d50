import { expect, test } from 'vitest';
import { completeCapture, type RawCaptureOptions } from '../../../src/cli/capture/options.ts';

const complete = (raw: Partial<RawCaptureOptions> = {}, terminal = false, targets = ['pod/a']) =>
  completeCapture(targets, { interface: 'any', ...raw }, { stdoutIsTerminal: terminal, canAsk: false });

test('a pipe gets pcapng, a terminal lines, a file pcapng', () => {
  expect(complete().output.output.name).toBe('pcapng');
  expect(complete({}, true).output.output.name).toBe('text');
  expect(complete({ write: 'a.pcapng' }, true).output).toMatchObject({
    output: { name: 'pcapng' },
    sink: { kind: 'file', path: 'a.pcapng' },
  });
  expect(complete({ write: '-' }).output.sink).toEqual({ kind: 'stdout' });
  expect(complete({ wireshark: true }, true).output).toMatchObject({
    output: { name: 'pcapng' },
    sink: { kind: 'wireshark' },
  });
});

test('limits are none unless they are said', () => {
  const none = Number.POSITIVE_INFINITY;
  expect(complete().capture).toMatchObject({ durationMs: none, packets: none, bytes: none, snaplen: 262_144 });
  const raw = { duration: '1m30s', count: '5', maxBytes: '64Mi', snaplen: '96' };
  expect(complete(raw).capture).toMatchObject({ durationMs: 90_000, packets: 5, bytes: 64 * 2 ** 20, snaplen: 96 });
  expect(complete({ snaplen: '0', maxBytes: '10M', duration: '2' }).capture).toMatchObject({
    snaplen: 262_144,
    bytes: 10e6,
    durationMs: 2_000,
  });
});

test.each<[string, Partial<RawCaptureOptions>, RegExp]>([
  ['bytes of a flow without --show-secrets', { output: 'stream=7,hex' }, /secrets in them are not masked/],
  ['duration in words', { duration: 'soon' }, /--duration takes a time such as 30s/],
  ['a negative duration', { duration: '-5s' }, /--duration/],
  ['a duration past a day', { duration: '25h' }, /up to 24h/],
  ['no packets', { count: '0' }, /--count takes a whole number above 0/],
  ['half a packet', { count: '1.5' }, /--count/],
  ['bytes in words', { maxBytes: 'lots' }, /--max-bytes takes a size such as/],
  ['a snaplen past the bound', { snaplen: '300000' }, /-s takes 0 to 262144/],
  ['a snaplen that is no number', { snaplen: '1e3' }, /-s takes/],
  ['an unknown output', { output: 'xml' }, /no output "xml".*/],
  ['Wireshark and a file', { wireshark: true, write: 'a' }, /exclude each other/],
  ['Wireshark and lines', { wireshark: true, output: 'text' }, /does not read/],
  ['--local and a context', { local: true, context: 'a' }, /uses no cluster/],
  ['--dry-run and a file', { dryRun: true, write: 'a', fileTime: '10' }, /^--dry-run captures nothing/],
  ['--dry-run and --as-tenant', { dryRun: true, asTenant: true }, /^--dry-run checks permissions/],
  ['--local and a container', { local: true, container: 'a' }, /needs the cluster/],
])('%s is wrong use, in one sentence', (_, raw, sentence) => {
  expect(() => complete(raw)).toThrow(
    expect.objectContaining({ code: 'USAGE', exit: 2, message: expect.stringMatching(sentence) }),
  );
});

test('binary is refused on a terminal, and no target is no capture', () => {
  for (const output of ['pcap', 'pcapng']) {
    expect(() => complete({ output }, true)).toThrow(/binary and stdout is a terminal/);
  }
  expect(() => complete({ write: '-' }, true)).toThrow(/binary and stdout is a terminal/);
  expect(() => complete({}, false, [])).toThrow(expect.objectContaining({ exit: 2 }));
  expect(() => complete({ output: 'trace', write: 'a b' }, false, [])).toThrow(
    expect.objectContaining({ hint: expect.stringContaining("ksnoop pod/web-1 -n shop -o trace -w 'a b';") }),
  );
});

test('the state of the network namespaces is asked for where the output can hold it', () => {
  const stateWith = (output: string) =>
    completeCapture(['pod/web-1'], { interface: 'any', output }, { stdoutIsTerminal: false, canAsk: false }).capture
      .state;
  expect(stateWith('pcap')).toBe(false);
  expect(stateWith('pcapng')).toBe(true);
  expect(stateWith('text')).toBe(true);
});
