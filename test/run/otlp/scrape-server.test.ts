import { get } from 'node:http';
import { expect, it } from 'vitest';
import { ScrapeServer } from '../../../src/run/otlp/scrape-server.ts';

it('answers scrapes with what is counted, and nothing else', async () => {
  const server = await ScrapeServer.listen({ host: '127.0.0.1', port: 0 });
  try {
    const url = `http://127.0.0.1:${server.port}`;
    const before = await fetch(`${url}/metrics`);
    expect([before.status, await before.text()]).toEqual([200, '']);
    let made = 0;
    server.serve(() => {
      made += 1;
      return 'a 1\n';
    });
    await expect.poll(async () => (await fetch(`${url}/metrics?x=1`)).text()).toBe('a 1\n');
    expect((await fetch(`${url}/metrics`)).headers.get('content-type')).toContain('version=0.0.4');
    expect(made).toBe(1);
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status).toBe(405);
    // What no browser sends.
    for (const path of ['//[', '/metrics/../%', 'http://[']) {
      const { status } = await new Promise<{ status: number | undefined }>((resolve, reject) => {
        const request = get({ port: server.port, host: '127.0.0.1', path, agent: false }, (response) => {
          response.resume();
          resolve({ status: response.statusCode });
        });
        request.once('error', reject);
      });
      expect(status).toBe(404);
    }
    await expect(ScrapeServer.listen({ host: '127.0.0.1', port: server.port })).rejects.toMatchObject({
      code: 'CANNOT_LISTEN',
      exit: 2,
    });
  } finally {
    server.close();
  }
});
