import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AnalysisOutputKind } from '../../../src/analyze/engine/output.ts';
import type { ExchangeStats, SummaryReport } from '../../../src/analyze/summary/report.ts';
import { html } from '../../../src/run/analysis/html.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { analysed } from '../../support/analysis-session.ts';
import { Browser } from '../../support/browser.ts';

const TEST = join(import.meta.dirname, '../..');
const CAPTURES = [
  'run/analysis/captures/wrong-service.pcapng',
  'analyze/flow/captures/both-ends-of-a-service.pcapng',
  'analyze/protocols/captures/dns.pcap',
  'analyze/protocols/captures/tls.pcap',
  'analyze/protocols/captures/http2.pcap',
  'analyze/protocols/captures/kafka.pcap',
  'analyze/protocols/captures/websocket.pcap',
  'analyze/protocols/http2/captures/grpc-status-by-message.pcap',
  'analyze/layers/captures/icmp-errors.pcap',
  'analyze/engine/captures/loss-response-http1-fast.pcap',
];

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-html-'));
const path = join(directory, 'report.html');
const url = pathToFileURL(path).href;

let browser: Browser | string = 'it was not started';
beforeAll(async () => {
  browser = await Browser.start();
  if (typeof browser === 'string') process.stderr.write(`reports are not opened in a browser: ${browser}\n`);
});
afterAll(async () => {
  if (typeof browser !== 'string') await browser.close();
  rmSync(directory, { recursive: true, force: true });
});

/** What an output writes of a capture of the tests. */
function written(kind: AnalysisOutputKind, capture: string): string {
  const { lines } = analysed(kind, readFileSync(join(TEST, capture)), { json: kind === summary, utc: true });
  return lines.join('\n');
}

type Value = string | number;

/** By table and column: what the page must say of a row of the JSON; numbers exactly. */
function statsOf(row: Pick<ExchangeStats, 'count' | 'rate' | 'failed' | 'latency' | 'requestBytes' | 'responseBytes'>) {
  const { count, rate, failed, latency, requestBytes, responseBytes } = row;
  return {
    Count: count,
    Rate: rate ?? '',
    Failed: failed,
    'Failed %': count === 0 ? 0 : (failed / count) * 100,
    Timed: latency?.count ?? 0,
    p50: latency?.p50 ?? '',
    p90: latency?.p90 ?? '',
    p99: latency?.p99 ?? '',
    Max: latency?.max ?? '',
    Sent: requestBytes,
    Received: responseBytes,
  };
}

const counts = (of: Readonly<Record<string, number>>) =>
  Object.entries(of)
    .toSorted(([, a], [, b]) => b - a)
    .map(([what, count]) => `${what}: ${count}`)
    .join(', ');

function expected(report: SummaryReport): Record<string, Record<string, Value>[]> {
  const { services, callers, pods, routes, grpc, dns, tls, messages, events, tcp } = report;
  return {
    services: services.map((row) => ({ Service: row.service, ...statsOf(row) })),
    callers: callers.map((row) => ({ Client: row.client, Service: row.service, ...statsOf(row) })),
    pods: pods.map((row) => ({ Pod: row.pod, Service: row.service ?? '', ...statsOf(row) })),
    routes: routes
      .filter(({ protocol }) => !['dns', 'tls', 'grpc'].includes(protocol))
      .map((row) => ({ Service: row.service, Route: row.route, Status: counts(row.statuses), ...statsOf(row) })),
    grpc: grpc.map((row) => ({
      Service: row.service,
      Method: row.method,
      Status: counts(row.statuses),
      ...statsOf(row),
    })),
    dns: dns.map((row) => ({ Name: row.name, Type: row.type ?? '', Rcode: counts(row.rcodes), ...statsOf(row) })),
    tls: tls.map((row) => ({
      'Server name': row.sni ?? '-',
      Version: row.version ?? '-',
      Result: counts(row.statuses),
      ...statsOf(row),
    })),
    messages: messages.map(({ count, bytes }) => ({ Count: count, Bytes: bytes })),
    events: events.map(({ code, count }) => ({ Code: code, Count: count })),
    tcp: tcp.servers.map((row) => ({
      Server: row.server,
      Port: row.port,
      Connections: row.connections,
      Refused: row.refused,
      'No answer': row.unanswered,
      'Reset by client': row.resetByClient,
      'Reset by server': row.resetByServer,
      Retransmissions: row.retransmissions,
      'Zero windows': row.zeroWindows,
      'Setup p50': row.handshake?.p50 ?? '',
      'Setup p99': row.handshake?.p99 ?? '',
      Bytes: row.bytes,
    })),
  };
}

/** In the page: all tables that can be sorted, by id; each cell's exact number, else its text. */
const TABLES = `Object.fromEntries([...document.querySelectorAll('table.sorts')].map((table) => {
  const titles = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
  return [table.id, [...table.tBodies[0].rows].map((row) => Object.fromEntries([...row.cells].map((cell, index) => {
    const exact = cell.getAttribute('data-v');
    return [titles[index], exact === null ? cell.textContent : exact === '' ? '' : Number(exact)];
  })))];
}))`;

describe('the report of a capture in a browser', () => {
  it('has all rows and numbers of the summary', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    const seen = new Set<string>();
    for (const capture of CAPTURES) {
      writeFileSync(path, written(html, capture));
      await browser.open(url, 1280);
      const page = await browser.value<Record<string, Record<string, Value>[]>>(TABLES);
      const report = JSON.parse(written(summary, capture)) as SummaryReport;
      for (const [id, rows] of Object.entries(expected(report))) {
        const shown = page[id] ?? [];
        expect(shown.length, `${capture} ${id}`).toBe(rows.length);
        for (const [index, row] of rows.entries()) expect(shown[index], `${capture} ${id}`).toMatchObject(row);
        if (rows.length > 0) seen.add(id);
      }
      const text = await browser.value<string>('document.querySelector("header p").textContent');
      const exchanges = report.services.filter(({ protocol }) => protocol !== 'tcp');
      const sum = exchanges.reduce((all, { count }) => all + count, 0);
      expect(text).toContain(`${report.time}`);
      expect(text).toMatch(
        new RegExp(`: ${sum} exchanges?, ${exchanges.reduce((all, { failed }) => all + failed, 0)} failed`),
      );
    }
    expect([...seen].toSorted()).toEqual(
      Object.keys(expected(JSON.parse(written(summary, CAPTURES[0] ?? '')))).toSorted(),
    );
  });

  it('sorts every column of every table, and filters', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    for (const capture of CAPTURES.slice(0, 3)) {
      writeFileSync(path, written(html, capture));
      await browser.open(url, 1280);
      const wrong = await browser.value<string[]>(`(() => {
        const wrong = [];
        for (const table of document.querySelectorAll('table.sorts')) {
          [...table.tHead.rows[0].cells].forEach((head, column) => {
            for (const _ of [0, 1]) {
              head.querySelector('button').click();
              const down = head.getAttribute('aria-sort') === 'descending';
              const keys = [...table.tBodies[0].rows].map(({ cells }) => cells[column].dataset.v === undefined ? cells[column].textContent : cells[column].dataset.v === '' ? -Infinity : Number(cells[column].dataset.v));
              if (keys.some((key, index) => index > 0 && (down ? keys[index - 1] < key : keys[index - 1] > key))) wrong.push(table.id + ' ' + head.textContent);
            }
          });
        }
        for (const label of document.querySelectorAll('label.filter')) {
          const rows = [...label.nextElementSibling.querySelectorAll('tbody tr')];
          const input = label.querySelector('input');
          const wanted = rows.at(-1).cells[0].textContent;
          input.value = wanted.toUpperCase();
          input.dispatchEvent(new Event('input'));
          const right = rows.filter((row) => row.textContent.toLowerCase().includes(wanted.toLowerCase()));
          const shown = rows.filter((row) => row.checkVisibility());
          if (shown.length === 0 || shown.length !== right.length || shown.some((row) => !right.includes(row))) wrong.push(label.textContent);
        }
        return wrong;
      })()`);
      expect(wrong).toEqual([]);
    }
  });

  it('opens evidence and waterfalls by keyboard', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    writeFileSync(path, written(html, CAPTURES[0] ?? ''));
    await browser.open(url, 390);
    for (const [which, inside] of [
      ['details.finding:not([open])', 'li'],
      ['#h-slowest ~ details.exchange', 'svg.fall'],
      ['#h-failed ~ details.exchange', 'table'],
    ] as const) {
      const found = await browser.value<boolean>(
        `(() => { globalThis.at = document.querySelector(${JSON.stringify(which)}); at?.querySelector('summary').focus(); return at !== null; })()`,
      );
      if (!found) continue;
      expect(await browser.value(`at.querySelector('${inside}').checkVisibility()`)).toBe(false);
      await browser.key('Enter');
      expect(await browser.value(`at.querySelector('${inside}').checkVisibility()`)).toBe(true);
    }
    // The parts of a request's time are those of its trace, and fill its bar from the left to the right.
    const bars = await browser.value<{ left: number; right: number; times: number }>(`(() => {
      const rects = [...document.querySelector('#h-slowest ~ details.exchange').querySelectorAll('svg.fall rect')].map((rect) => rect.getBBox());
      return { left: Math.min(...rects.map(({ x }) => x)), right: Math.max(...rects.map(({ x, width }) => x + width)), times: rects.length };
    })()`);
    expect(bars.times).toBeGreaterThan(0);
    expect(bars.left).toBeLessThan(10);
    expect(bars.right).toBeGreaterThan(990);
  });

  it('says the same without its script, and all of it when printed', async ({ skip }) => {
    if (typeof browser === 'string') return skip(browser);
    writeFileSync(path, written(html, CAPTURES[0] ?? ''));
    const text = 'document.querySelector("main").textContent.replace(/Filter [^:]*: /g, "").replace(/\\s+/g, " ")';
    await browser.open(url, 1280);
    const withScript = await browser.value<string>(text);
    await browser.scripts(false);
    try {
      await browser.open(url, 1280);
      expect(await browser.value('document.querySelectorAll("button, input").length')).toBe(0);
      expect(await browser.value<string>(text)).toBe(withScript);
      await browser.media('print');
      const hidden = await browser.value<string[]>(
        `[...document.querySelectorAll('main li, main td, main p, main pre')].filter((each) => !each.checkVisibility({ contentVisibilityAuto: true })).map((each) => each.textContent).slice(0, 3)`,
      );
      expect(hidden).toEqual([]);
      expect(await browser.value('document.querySelector("nav").checkVisibility()')).toBe(false);
      // The width of A4 within its margins.
      await browser.open(url, 720);
      const cut = `[...document.querySelectorAll('table, svg')].filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.id)`;
      expect(await browser.value(cut)).toEqual([]);
    } finally {
      await browser.media('screen');
      await browser.scripts(true);
    }
  });
});
