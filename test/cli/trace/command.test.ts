import { expect, test } from 'vitest';
import { traceCommand } from '../../../src/cli/trace/command.ts';

test.each([
  [['a.pcap'], { output: 'tables' }, '-o takes lines or summary, not "tables".'],
  [['a.pcap'], { nodes: true }, '--nodes captures interfaces of nodes; it has no meaning for files.'],
  [['netns/x'], { nodes: true, local: true }, '--nodes needs the cluster, which --local does not use.'],
])('%j with %j is refused: %s', async (words, options, message) => {
  await expect(traceCommand(words, { interface: 'any', ...options })).rejects.toMatchObject({ code: 'USAGE', message });
});
