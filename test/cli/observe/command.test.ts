import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { observeCommand } from '../../../src/cli/observe/command.ts';
import { OtlpReceiver } from '../../support/otlp-receiver.ts';

const CAPTURE = join(import.meta.dirname, '../../run/analysis/captures/wrong-service.pcapng');
const DEFAULTS = { otlpHeader: [], signals: 'metrics,traces,logs', spans: 'all', interval: '10s' } as const;
const OPTIONS = { ...DEFAULTS, interface: 'any', quiet: true } as const;

const receiver = new OtlpReceiver();
afterEach(() => receiver.close());

it('sends what was chosen of a file', async () => {
  const otlp = await receiver.listen();
  expect(await observeCommand([CAPTURE], { ...OPTIONS, otlp, signals: 'metrics, traces', spans: 'failed' })).toBe(0);
  expect(receiver.received.map(({ path }) => path)).toEqual(['/v1/traces', '/v1/metrics']);
  expect(JSON.stringify(receiver.received[0]?.body).split('"startTimeUnixNano"')).toHaveLength(33);
});

it('refuses what it cannot do', async () => {
  for (const [wrong, text] of [
    [{ otlp: 'http://127.0.0.1:4318', signals: 'metrics,profiles' }, 'profiles'],
    [{ otlp: 'http://127.0.0.1:4318', interval: 'often' }, 'often'],
    [{ otlp: '127.0.0.1:4318' }, 'http'],
    [{ prometheusListen: '127.0.0.1:9464' }, 'running capture'],
    [{ prometheusListen: '9464' }, 'ADDRESS:PORT'],
    [{ prometheusListen: '127.0.0.1:99999' }, 'ADDRESS:PORT'],
  ] as const) {
    const failure = observeCommand([CAPTURE], { ...OPTIONS, ...wrong });
    await expect(failure).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(text) });
  }
});
