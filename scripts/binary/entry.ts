/** The one executable's first code: the agent for --local, else ksnoop. */
import { AGENT_WORD } from '../../src/capture/own-program.ts';

if (process.argv[2] === AGENT_WORD) {
  process.argv.splice(2, 1);
  await import('../../src/agent/main.ts');
} else {
  await import('../../src/cli/main.ts');
}
