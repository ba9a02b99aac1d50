import { expect, test } from 'vitest';
import { connectionsParts, connectionsShape } from '../../../src/analyze/found/connections-shape.ts';
import { WrongShape } from '../../../src/analyze/found/shape.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { ExchangeRow } from '../../../src/analyze/summary/exchange-rows.ts';

const CONNECTION: Exchange = {
  kind: 'exchange',
  protocol: 'tcp',
  label: 'connect',
  fields: {},
  time: 100,
  requestEnd: 100,
  responseTime: undefined,
  responseEnd: 900,
  requestBytes: 300,
  responseBytes: 400,
  status: 'connected',
  failed: false,
  route: 'connect',
};
const BY = { shift: 1_000, host: () => -1, interfaceId: () => 0 };

const row = new ExchangeRow();
for (let index = 0; index < 3; index += 1) row.add(CONNECTION);
const SUMS = {
  count: 3,
  first: 100,
  requestBytes: 900,
  responseBytes: 1_200,
  times: row.state().times,
  requestIds: [],
};
const FACTS = {
  first: 300,
  last: 950,
  client: { packets: 15, bytes: 900, payload: 240 },
  server: { packets: 12, bytes: 1_200, payload: 660 },
  protocol: 'http',
};
const PORTS = [40_000, 1, 65_535];
const said = { opened: { exchange: CONNECTION, ...SUMS }, clientPorts: PORTS };
const PARTS: readonly unknown[] = JSON.parse(JSON.stringify(connectionsParts(said, FACTS, 0)));

test('connections that were added up are the same where they are read', () => {
  const { connections, facts } = connectionsShape(CONNECTION, PARTS, BY);
  expect(connections.clientPorts).toEqual(PORTS);
  expect(connections.opened).toMatchObject({ ...SUMS, first: 1_100 });
  expect(ExchangeRow.of(connections.opened).state()).toEqual(row.state());
  expect(facts).toMatchObject({
    ...FACTS,
    first: 1_300,
    last: 1_950,
    tcp: { state: 'closed', midstream: false, syns: 1 },
  });
});

const changed = (at: number, value: unknown) => PARTS.map((part, index) => (index === at ? value : part));

test.each([
  ['no list', 'none'],
  ['too few parts', PARTS.slice(1)],
  ['no exchanges', changed(0, [])],
  ['no time', changed(1, 'then')],
  ['less than no packets', changed(3, -1)],
  ['a long name', changed(7, 'x'.repeat(65))],
  ['fewer ports than connections', changed(8, Buffer.alloc(4).toString('base64'))],
  ['half a port', changed(8, Buffer.alloc(7).toString('base64'))],
  ['ports that are no base64', changed(8, '!!!!!!!!')],
])('is refused: %s', (_what, parts) => {
  expect(() => connectionsShape(CONNECTION, parts, BY)).toThrow(WrongShape);
});
