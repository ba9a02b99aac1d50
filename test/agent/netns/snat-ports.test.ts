import { expect, test } from 'vitest';
import { SnatTable } from '../../../src/agent/netns/snat-ports.ts';

const entry = (source: string, port: number, translated: string, more = '') =>
  `ipv4     2 tcp      6 86399 ESTABLISHED src=${source} dst=203.0.113.9 sport=${port} dport=443 ${more}src=203.0.113.9 dst=${translated} sport=443 dport=${port} [ASSURED] mark=0 zone=0 use=2\n`;

test('connections whose source is translated are counted by its address and the destination', () => {
  const table = new SnatTable();
  const lines = Array.from({ length: 1500 }, (_, index) => entry('10.244.0.5', 1024 + index, '192.0.2.1')).join('');
  // In pieces of any length.
  for (let at = 0; at < lines.length; at += 997) table.add(lines.slice(at, at + 997));
  for (let index = 0; index < 1200; index += 1) table.add(entry('192.0.2.1', index, '192.0.2.1'));
  for (let index = 0; index < 999; index += 1) table.add(entry('10.244.0.5', index, '192.0.2.2', '[UNREPLIED] '));
  expect(table.most()).toEqual([{ address: '192.0.2.1', destination: '203.0.113.9', port: 443, count: 1500 }]);
});

test('lines of any kind count nothing', () => {
  const table = new SnatTable();
  table.add(`${'x'.repeat(100_000)}\n\nipv4 2 tcp 6 src= dst=\n`);
  expect(table.most()).toEqual([]);
});
