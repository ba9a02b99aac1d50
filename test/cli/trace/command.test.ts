import { expect, test } from 'vitest';
import { traceCommand } from '../../../src/cli/trace/command.ts';

test.each([
  [['a.pcap'], { output: 'tables' }, '-o takes lines or summary, not "tables".'],
  [['a.pcap'], { nodes: true }, '--nodes captures interfaces of nodes; it has no meaning for files.'],
  [['a.pcap'], { write: 'b.pcapng' }, '-w keeps the packets of a capture; it has no meaning for files.'],
  [['svc/web'], { write: '-' }, '-w keeps the packets in a file; stdout gets the lines.'],
  [['a.pcap'], { depth: '1' }, '--depth adds targets to a capture; it has no meaning for files.'],
  [['svc/web'], { depth: '9' }, '--depth takes a whole number from 0 to 8, not "9".'],
  [['netns/x'], { depth: '1', local: true }, '--local uses no cluster, so --depth has no meaning with it.'],
  [['netns/x'], { nodes: true, local: true }, '--nodes needs the cluster, which --local does not use.'],
])('%j with %j is refused: %s', async (words, options, message) => {
  await expect(traceCommand(words, { interface: 'any', ...options })).rejects.toMatchObject({ code: 'USAGE', message });
});
