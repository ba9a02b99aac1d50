import { expect, test } from 'vitest';
import { parseStatistics } from '../../../src/agent/tcpdump/statistics.ts';
import { cannotPrint, plainWords } from '../../../src/agent/tcpdump/tcpdump-errors.ts';

test('the last of several statistics counts, in singular and plural', () => {
  const first = '5 packets captured\n5 packets received by filter\n0 packets dropped by kernel\n';
  const last = '1 packet captured\n12 packets received by filter\n1 packet dropped by kernel\n';
  expect(parseStatistics('tcpdump: listening on any\n')).toBeUndefined();
  expect(parseStatistics(first)).toEqual({ received: 5, droppedByKernel: 0 });
  expect(parseStatistics(first + last)).toEqual({ received: 12, droppedByKernel: 1 });
});

test("tcpdump's words without its greetings", () => {
  const said =
    'tcpdump: data link type LINUX_SLL2\ntcpdump: listening on any, link-type LINUX_SLL2\ntcpdump: pcap_loop: went down\n3 packets captured\n';
  expect(plainWords(said)).toBe('pcap_loop: went down');
});

test('a tcpdump before 4.99 is told by its words', () => {
  expect(cannotPrint("tcpdump: unrecognized option '--print'\ntcpdump version 4.9.3\n")).toBe(true);
  expect(cannotPrint('tcpdump: eth9: No such device exists\n')).toBe(false);
});
