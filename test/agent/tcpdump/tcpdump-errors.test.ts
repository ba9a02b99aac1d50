import { expect, test } from 'vitest';
import { cannotPrint, plainWords } from '../../../src/agent/tcpdump/tcpdump-errors.ts';

test("tcpdump's words without its greetings", () => {
  const said =
    'tcpdump: data link type LINUX_SLL2\ntcpdump: listening on any, link-type LINUX_SLL2\ntcpdump: pcap_loop: went down\n3 packets captured\n';
  expect(plainWords(said)).toBe('pcap_loop: went down');
});

test('a tcpdump before 4.99 is told by its words', () => {
  expect(cannotPrint("tcpdump: unrecognized option '--print'\ntcpdump version 4.9.3\n")).toBe(true);
  expect(cannotPrint('tcpdump: eth9: No such device exists\n')).toBe(false);
});
