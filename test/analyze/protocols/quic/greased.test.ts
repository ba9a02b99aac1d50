import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyseFile } from '../../../support/analysis.ts';

/** Made by captures/make-quic-greased.sh: of two connections, the packets of either side do without the fixed bit at times. */
const CAPTURE = join(import.meta.dirname, '../captures/quic-greased.pcap');

test('packets without the fixed bit are QUIC to those who have agreed on it (RFC 9287)', async () => {
  const { events } = await analyseFile(CAPTURE);
  const exchanges = events.map(({ event }) => event).filter((event) => event.kind === 'exchange');
  expect(exchanges).toHaveLength(2);
  for (const exchange of exchanges) {
    expect(exchange).toMatchObject({ protocol: 'quic', status: 'QUICv1', failed: false, incomplete: undefined });
    expect(exchange.fields.tls).toMatchObject({ sni: 'localhost', version: 'TLS1.3' });
  }
});
