import { createHash } from 'node:crypto';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import type { TimelineReport } from '../../analyze/summary/timeline.ts';
import type { TraceRecord } from '../../analyze/trace/record.ts';
import { nextText, readCommand } from '../finding-lines.ts';
import { callGraph } from '../map/graph.ts';
import { summaryHeadline } from '../summary-tables.ts';
import { byteSize, counted } from '../units.ts';
import { exchangesSection } from './exchanges-section.ts';
import { findingsSection } from './findings-section.ts';
import { type Html, html, trusted } from './html.ts';
import { drawnCallers, mapSection } from './map-section.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';
import { summarySection } from './summary-section.ts';
import { timelineSection } from './timeline-section.ts';

/** What a report shows. Names and texts are not sanitised; secrets are masked already. */
export interface ReportContent {
  readonly summary: SummaryReport;
  readonly findings: readonly Finding[];
  readonly timeline: TimelineReport;
  /** Requests of clients, the slowest first; those that failed, in the order of their times, and how many failed in all. */
  readonly slowest: readonly TraceRecord[];
  readonly failed: readonly TraceRecord[];
  readonly failures: number;
  readonly packets: number;
  readonly bytes: number;
  /** Names of the interfaces that were captured. */
  readonly interfaces: readonly string[];
  /** What is missing, a sentence each. */
  readonly notes: readonly string[];
  /** The command that made it; undefined where that is not known. */
  readonly command: string | undefined;
  /** Files that have the packets; undefined where none is known. */
  readonly paths?: readonly string[] | undefined;
  /** The key log that TLS connections were decrypted with. */
  readonly keyLog?: string | undefined;
  readonly version: string;
}

export interface ReportStyle {
  readonly utc: boolean;
  /** RFC 3339 of a time in ns since the first packet. */
  timeText(time: number): string;
  /** A protocol's name for people. */
  titleOf(protocol: string): string;
}

/** Interfaces that are listed. */
const INTERFACES_SHOWN = 100;

/**
 * The report as one HTML page that needs nothing else: no other file, no network, no script to be read. Its policy allows
 * no content but its own style sheet and script, by their hashes.
 */
export function reportPage(content: ReportContent, { utc, timeText, titleOf }: ReportStyle): string {
  const { summary, findings, timeline, slowest, failed, failures, paths, keyLog } = content;
  const policy = `default-src 'none'; style-src '${hashOf(STYLE)}'; script-src '${hashOf(SCRIPT)}'; base-uri 'none'; form-action 'none'`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>ksnoop report${summary.time === undefined ? '' : ` ${summary.time}`}</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<header><h1>ksnoop report</h1>
<p>${summaryHeadline(summary)}</p>
<nav aria-label="Sections"><a href="#h-findings">Findings</a> <a href="#h-map">Map</a> <a href="#h-timelines">Timelines</a> <a href="#h-tables">Tables</a> <a href="#h-slowest">Slowest</a> <a href="#h-failed">Failed</a> <a href="#h-capture">Capture</a></nav>
</header>
<main>
${findingsSection(findings, { timeText, utc, read: readCommand(paths, keyLog), nextOf: (next) => nextText(next, paths, keyLog) })}
${mapSection(callGraph({ callers: drawnCallers(summary.callers) }), titleOf, summary.callers.length)}
${timelineSection(timeline, timeText, utc)}
${summarySection(summary, { utc, titleOf })}
${exchangesSection(slowest, failed, failures, utc)}
${captureSection(content)}
</main>
<script>${trusted(SCRIPT)}</script>
</body>
</html>`.text;
}

function captureSection({ packets, bytes, interfaces, notes, command, version }: ReportContent): Html {
  const shown = interfaces.slice(0, INTERFACES_SHOWN);
  const more = interfaces.length - shown.length;
  return html`
<section aria-labelledby="h-capture"><h2 id="h-capture">What was captured, and what was lost</h2>
<p>${counted(packets, 'packet')}, ${byteSize(bytes)}, ${counted(interfaces.length, 'interface')}.</p>
${shown.length === 0 ? undefined : html`<p class="mono">${shown.join(', ')}${more > 0 ? `, and ${more} more` : ''}</p>`}
${notes.length === 0 ? html`<p>Nothing is known to be missing.</p>` : html`<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>`}
${command === undefined ? undefined : html`<p>Made by:</p><pre>${command}</pre>`}
<p class="dim">ksnoop ${version}</p>
</section>`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text, 'utf8').digest('base64')}`;
}
