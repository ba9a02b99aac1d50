import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reportPage } from '../../../src/view/html/page.ts';
import { Browser } from '../../support/browser.ts';
import { caller, reportContent, STYLE_UTC, stats } from './report-content.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-page-'));
const path = join(directory, 'report.html');
const url = pathToFileURL(path).href;

let browser: Browser | string = 'it was not started';
beforeAll(async () => {
  browser = await Browser.start();
  if (typeof browser === 'string') process.stderr.write(`the report is not opened in a browser: ${browser}\n`);
});
afterAll(async () => {
  if (typeof browser !== 'string') await browser.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the report in a browser', () => {
  it('sorts, filters and opens, and fits wide and narrow windows', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const services = Array.from({ length: 20 }, (_, index) => ({
      service: `web-${String(index).padStart(2, '0')}.shop`,
      protocol: 'http',
      ...stats,
      count: (index * 7) % 20,
    }));
    const content = reportContent({ summary: { ...reportContent().summary, services } });
    writeFileSync(path, reportPage(content, STYLE_UTC));
    for (const width of [1280, 390]) {
      await browser.open(url, width);
      expect(await browser.value('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    }
    const column = (index: number) =>
      `[...document.querySelectorAll('#services tbody tr:not([hidden])')].map((row) => row.cells[${index}].textContent)`;
    const click = (index: number) => `document.querySelectorAll('#services th button')[${index}].click()`;
    await browser.value(click(2));
    const falling = await browser.value<string[]>(column(2));
    expect(falling.map(Number)).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index));
    await browser.value(click(2));
    expect((await browser.value<string[]>(column(2)))[0]).toBe('0');
    await browser.value(click(0));
    expect(await browser.value(column(0))).toEqual(services.map(({ service }) => service));
    expect(await browser.value('document.querySelectorAll("#services th")[0].getAttribute("aria-sort")')).toBe(
      'ascending',
    );
    await browser.value(
      `{ const input = document.querySelector('label.filter input'); input.value = 'WEB-1'; input.dispatchEvent(new Event('input')); }`,
    );
    expect(await browser.value<string[]>(column(0))).toHaveLength(10);
    expect(await browser.value('document.querySelector("label.filter [role=status]").textContent')).toBe('10 of 20');
    // Evidence and the waterfall open without the script: they are details.
    const visible = `(() => { const d = document.querySelector('details.exchange'); d.open = true; return d.querySelector('svg').getBoundingClientRect().width > 0; })()`;
    expect(await browser.value(visible)).toBe(true);
  });

  it('shows the text of a line of a map with many lines where it has the focus', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const callers = Array.from({ length: 90 }, (_, index) => caller(`client-${index % 9}`, `web-${index % 20}`));
    writeFileSync(path, reportPage(reportContent({ summary: { ...reportContent().summary, callers } }), STYLE_UTC));
    await browser.open(url, 1280);
    const shown = `[...document.querySelectorAll('.edge .more text')].filter((each) => getComputedStyle(each).visibility === 'visible').map((each) => each.textContent)`;
    expect(await browser.value(shown)).toEqual([]);
    await browser.value(`document.querySelectorAll('.edge')[3].focus()`);
    expect((await browser.value<string[]>(shown)).join(' ')).toMatch(/^HTTP .*failed .* p99 13 ms$/);
  });

  it('prints a wide map in parts that fit the paper', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const callers = Array.from({ length: 8 }, (_, index) => caller(`web-${index}`, `web-${index + 1}`));
    writeFileSync(path, reportPage(reportContent({ summary: { ...reportContent().summary, callers } }), STYLE_UTC));
    await browser.media('print');
    try {
      await browser.open(url, 720);
      const parts = `[...document.querySelectorAll('svg.paper')].map((each) => ({ scale: each.getBoundingClientRect().width / each.viewBox.baseVal.width, right: each.getBoundingClientRect().right }))`;
      const measured = await browser.value<{ scale: number; right: number }[]>(parts);
      expect(measured.length).toBeGreaterThan(2);
      for (const { scale, right } of measured) {
        expect(scale).toBeGreaterThan(0.85);
        expect(right).toBeLessThanOrEqual(720);
      }
      expect(await browser.value(`document.querySelector('.scroll.map').checkVisibility()`)).toBe(false);
    } finally {
      await browser.media('screen');
    }
  });

  it('has nothing that axe-core objects to: labels, roles, order, contrast', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const callers = Array.from({ length: 90 }, (_, index) => caller(`client-${index % 9}`, `web-${index % 20}`));
    const many = reportContent({ summary: { ...reportContent().summary, callers } });
    for (const [scheme, width, content] of [
      ['light', 1280, reportContent()],
      ['dark', 390, reportContent()],
      ['light', 1280, many],
    ] as const) {
      writeFileSync(path, reportPage(content, STYLE_UTC));
      await browser.colours(scheme);
      await browser.open(url, width);
      await browser.value('document.querySelectorAll("details").forEach((each) => { each.open = true; })');
      await browser.value(`${axe}; undefined`);
      const found = await browser.value<{ rules: number; violations: unknown[] }>(
        `axe.run().then(({ passes, violations }) => ({ rules: passes.length, violations: violations.map(({ id, nodes }) => ({ id, nodes: nodes.slice(0, 3).map(({ html }) => html.slice(0, 200)) })) }))`,
      );
      expect(found.violations).toEqual([]);
      expect(found.rules).toBeGreaterThan(10);
    }
  });

  it('has contrast for its texts, light and dark', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    writeFileSync(path, reportPage(reportContent(), STYLE_UTC));
    for (const scheme of ['light', 'dark'] as const) {
      await browser.colours(scheme);
      await browser.open(url, 1280);
      // WCAG 2.2, 1.4.3: 4.5 to 1.
      const least = await browser.value<number>(`(() => {
        const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
        const luminance = (c) => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
        const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (!/, 0\\)$/.test(c)) return c; } return 'rgb(255, 255, 255)'; };
        const texts = [...document.querySelectorAll('body *')].filter((e) => !e.closest('svg, script') && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== ''));
        return Math.min(...texts.map((e) => { const [a, b] = [luminance(getComputedStyle(e).color), luminance(ground(e))].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); }));
      })()`);
      expect(least).toBeGreaterThanOrEqual(4.5);
    }
  });

  it('runs no script of hostile names, loads nothing, and keeps its layout', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    let requests = 0;
    const server = createServer((_, response) => {
      requests += 1;
      response.end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as AddressInfo;
    const there = `http://127.0.0.1:${port}`;
    const payloads = [
      `<script>document.title='pwned';fetch('${there}')</script>`,
      `<img src="${there}/x" onerror="document.title='pwned'">`,
      `"><svg onload="document.title='pwned'">`,
      `' autofocus onfocus='document.title=1`,
      `</style><style>@import url(${there})</style>`,
      `</script><script src=${there}></script>`,
      `<iframe src="javascript:parent.document.title='pwned'">`,
      `<meta http-equiv=refresh content="0;url=${there}">`,
      `<link rel=stylesheet href=${there}>`,
      '\u202e\u2066gnp.exe',
      'W'.repeat(400),
      '\u0000\u001b[2J',
    ];
    try {
      let made = 0;
      const hostile = () => {
        made += 1;
        return `${payloads[made % payloads.length]} ${made}`;
      };
      const rows = Array.from({ length: 500 }, () => ({ ...stats, protocol: hostile() }));
      const { summary, findings } = reportContent();
      const content = reportContent({
        summary: {
          ...summary,
          services: rows.map((row) => ({ ...row, service: hostile() })),
          pods: rows.map((row) => ({ ...row, pod: hostile(), service: hostile() })),
          callers: rows.map(({ protocol }) => caller(hostile(), hostile(), { protocol })),
          routes: rows.map((row) => ({ ...row, service: hostile(), route: hostile(), statuses: { [hostile()]: 1 } })),
          grpc: rows.map((row) => ({ ...row, service: hostile(), method: hostile(), statuses: { [hostile()]: 1 } })),
          dns: rows.map((row) => ({ ...row, name: hostile(), type: hostile(), rcodes: { [hostile()]: 1 } })),
          tls: rows.map((row) => ({ ...row, sni: hostile(), version: hostile(), statuses: { [hostile()]: 1 } })),
        },
        findings: Array.from({ length: 100 }, () => ({
          ...(findings[0] as (typeof findings)[number]),
          message: hostile(),
          next: hostile(),
          evidence: [{ text: hostile(), flows: [], times: undefined, where: hostile() }],
        })),
        notes: Array.from({ length: 100 }, hostile),
        interfaces: Array.from({ length: 100 }, hostile),
        command: hostile(),
      });
      writeFileSync(path, reportPage(content, { ...STYLE_UTC, titleOf: hostile }));
      expect(made).toBeGreaterThan(10_000);
      await browser.open(url, 390);
      expect(await browser.value('document.title')).toBe('ksnoop report 2026-07-02T14:03:07.123456789Z');
      expect(await browser.value('document.querySelectorAll("script").length')).toBe(1);
      expect(await browser.value('document.querySelectorAll("img, iframe, link, object, form, base").length')).toBe(0);
      expect(await browser.value('document.querySelectorAll("#services th button").length')).toBe(13);
      expect(await browser.value('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await browser.value('performance.getEntriesByType("resource").length')).toBe(0);
      expect(requests).toBe(0);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
