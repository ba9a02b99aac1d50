import { expect, test } from 'vitest';
import { completeCapture } from '../../src/cli/capture/options.ts';
import { completeDiagnose } from '../../src/cli/diagnose/options.ts';
import { completeRead } from '../../src/cli/read/options.ts';
import { completeTop } from '../../src/cli/top/options.ts';

const TERMINALS = { stdin: true, stdout: false };
const USAGE = expect.objectContaining({ code: 'USAGE' });

test('read takes a key log from a file, or from stdin when the capture is a file', () => {
  expect(completeRead(['a.pcap'], { keylog: 'k.log' }, TERMINALS).reading.keyLog).toBe('k.log');
  expect(completeRead(['a.pcap'], { keylog: '-' }, TERMINALS).reading.keyLog).toBe('-');
  const piped = { stdin: false, stdout: false };
  expect(() => completeRead(['-'], { keylog: '-' }, piped)).toThrow(USAGE);
  expect(() => completeRead(['-'], { keylog: 'k.log', write: 'b.pcapng' }, piped)).toThrow(USAGE);
  expect(() => completeRead(['a.pcap'], { keylog: '' }, TERMINALS)).toThrow(USAGE);
});

test('--no-keys is for a capture that is written', () => {
  const { make } = completeRead(['a.pcap'], { keys: false, write: 'b.pcapng' }, TERMINALS);
  expect(make).toMatchObject({ kind: 'capture', conversion: { withoutKeys: true } });
  expect(() => completeRead(['a.pcap'], { keys: false }, TERMINALS)).toThrow(USAGE);
});

test('a capture with a key log shows lines, or writes the secrets between the packets', () => {
  const options = { interface: 'any', keylog: 'k.log' };
  const where = { stdoutIsTerminal: false, canAsk: false };
  expect(completeCapture(['pod/web-1'], { ...options, output: 'text' }, where).output.keyLog).toBe('k.log');
  expect(completeCapture(['pod/web-1'], { ...options, output: 'pcapng' }, where).output.keyLog).toBe('k.log');
  expect(() => completeCapture(['pod/web-1'], { ...options, output: 'pcap' }, where)).toThrow(USAGE);
});

test('diagnose decrypts what it looks at, and keeps the secrets with the packets', () => {
  const command = completeDiagnose(['pod/web-1'], { interface: 'any', keylog: 'k.log', write: 'a.pcapng' }, false);
  expect(command).toMatchObject({ keyLog: 'k.log', packets: { keyLog: 'k.log' } });
});

test('top decrypts what it shows; its stdin has the keys or the capture', () => {
  expect(completeTop(['pod/web-1'], { interface: 'any', keylog: 'k.log' }).keyLog).toBe('k.log');
  expect(() => completeTop(['-'], { interface: 'any', keylog: '-' })).toThrow(USAGE);
});

test('keys come from pods while capturing, not from pods of this machine', () => {
  const options = { interface: 'any', keylog: 'exec:app:/k', output: 'text' };
  const where = { stdoutIsTerminal: false, canAsk: false };
  expect(completeCapture(['pod/web-1'], options, where).output.keyLog).toBe('exec:app:/k');
  expect(() => completeCapture(['pod/web-1'], { ...options, keylog: 'exec:app:k' }, where)).toThrow(USAGE);
  expect(() => completeCapture(['host'], { ...options, local: true }, where)).toThrow(USAGE);
  expect(() => completeTop(['pod/web-1'], { interface: 'any', keylog: 'exec:A:/k' })).toThrow(USAGE);
  expect(() => completeDiagnose(['pod/web-1'], { interface: 'any', keylog: 'exec:a' }, false)).toThrow(USAGE);
});
