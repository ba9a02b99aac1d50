import { expect, it } from 'vitest';
import { agentError } from '../../../src/capture/streams/agent-error.ts';

it('an error of an agent has the exit code that its code stands for', () => {
  expect(agentError({ code: 'BAD_FILTER', message: 'No.', hint: 'Do.' })).toMatchObject({ exit: 2, hint: 'Do.' });
  expect(agentError({ code: 'NO_SUCH_POD', message: 'No.' })).toMatchObject({ code: 'NO_SUCH_POD', exit: 3 });
  expect(agentError({ code: 'TCPDUMP_ENDED', message: 'No.' })).toMatchObject({ code: 'TCPDUMP_ENDED', exit: 1 });
});

it.each(['OF_A_NEWER_AGENT', 'toString', '__proto__'])(
  'a code that is not known here is part of the message: %s',
  (code) => {
    const error = agentError({ code, message: 'It broke.' });
    expect(error).toMatchObject({ code: 'AGENT_ERROR', exit: 1, message: `It broke. (${code})` });
  },
);
