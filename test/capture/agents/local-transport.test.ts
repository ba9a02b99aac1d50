// The real agent as a child process: what passes between it and us, without any capture.
import { expect, test } from 'vitest';
import { localTransport } from '../../../src/capture/agents/local-transport.ts';
import { parseAgentEvent } from '../../../src/wire/agent-protocol.ts';
import { CONTROL_LINE_MAXIMUM } from '../../../src/wire/limits.ts';
import { lineSplitter } from '../../../src/wire/lines.ts';

async function started() {
  const events: string[] = [];
  let bytes = 0;
  const split = lineSplitter((line) => {
    const event = parseAgentEvent(line);
    events.push(event?.type === 'failed' ? `failed ${event.code}` : (event?.type ?? line));
  });
  const transport = await localTransport()(
    {
      stdout: (chunk) => {
        bytes += chunk.length;
      },
      stderr: split,
    },
    new AbortController().signal,
  );
  return { transport, events, bytes: () => bytes };
}

test('its refusal comes whole, with its exit code, and nothing on stdout', async () => {
  const { transport, events, bytes } = await started();
  transport.write('{"type":"dance"}\n');
  const end = await transport.ended;
  expect(end).toMatchObject({ kind: 'exited', code: expect.any(Number) });
  expect(end).not.toMatchObject({ code: 0 });
  expect(events.at(-1)).toBe('failed INVALID_MESSAGE');
  expect(bytes()).toBe(0);
  // It is gone: to speak to it, or to end it, is no error.
  transport.write('{"type":"heartbeat"}\n');
  transport.pause();
  transport.resume();
  transport.terminate();
  await new Promise((resolve) => setImmediate(resolve));
});

test('it may end before it has read what is said to it: its words tell why, not our pipe', {
  timeout: 30_000,
}, async () => {
  const { transport, events } = await started();
  transport.write('x'.repeat(2 * CONTROL_LINE_MAXIMUM));
  expect(await transport.ended).toMatchObject({ kind: 'exited' });
  expect(events.at(-1)).toMatch(/^failed [A-Z_]+$/);
});

test('broken off, it is lost with the reason', async () => {
  const { transport } = await started();
  transport.terminate();
  expect(await transport.ended).toMatchObject({
    kind: 'lost',
    error: { code: 'AGENT_KILLED', message: expect.stringContaining('SIGKILL') },
  });
});
