import { join } from 'node:path';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import { recordFields } from '../../analyze/protocols/all-fields.ts';
import type { FieldTable } from '../../analyze/protocols/protocol.ts';
import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../../analyze/record/fields.ts';
import type { PacketRecord } from '../../analyze/record/record.ts';
import { counted } from '../../view/units.ts';
import { type Row, Table } from '../parquet/table.ts';
import { findingRecord } from './findings-report.ts';
import { Found } from './found.ts';
import { undecodedPackets } from './undecided-packets.ts';

/** Members of a flow and of a packet that they share with exchanges. */
const { flow, sameAs, label, interface: at } = EVENT_FIELDS as Record<string, FieldTable[string]>;

/** Tables are made of packets that came here, never of a sample. */
const { sample: _sample, ...WITHOUT_SAMPLE } = EVENT_FIELDS;

const EXCHANGE_COLUMNS = { ...COMMON_FIELDS, ...WITHOUT_SAMPLE };
const FLOW_COLUMNS = { ...COMMON_FIELDS, flow, sameAs, interface: at, ...FLOW_FIELDS } as FieldTable;
const PACKET_COLUMNS = { ...COMMON_FIELDS, interface: at, label, ...PACKET_FIELDS } as FieldTable;

/** A finding as a row: its members in the JSON (docs/findings.md), and the time of its first evidence. */
export const FINDING_COLUMNS: FieldTable = {
  time: { type: 'timestamp', about: 'first evidence, or the first packet of the capture' },
  code: { type: 'string', about: '`PACKET_LOSS`' },
  severity: { type: 'string', about: '`error`, `warning` or `information`' },
  confidence: { type: 'string', about: '`proven` or `likely`' },
  subject: { type: 'string', about: 'the Service, pod, name or address that it is about' },
  message: { type: 'string', about: 'the finding in one sentence' },
  next: { type: 'string', about: 'what to do next' },
  otherwise: { type: 'string', about: 'what else it may be' },
  cases: { type: 'int', about: 'how often it was seen' },
  attempts: { type: 'int', about: 'of how many' },
  evidence: { type: 'list', about: 'as in the JSON' },
};

/** What a packet's record takes in memory besides its texts. */
const RECORD_BYTES = 400;

/** Exchanges, flows, packets and findings as tables in Parquet files, for DuckDB, ClickHouse and others (docs/analytics.md). */
export const parquet: AnalysisOutputKind = {
  detail: true,
  packets: true,
  create: ({ session, line, argument = '.', part }) => {
    const tables = {
      exchanges: new Table(join(argument, 'exchanges'), recordFields(), EXCHANGE_COLUMNS, { part }),
      flows: new Table(join(argument, 'flows'), FLOW_COLUMNS, FLOW_COLUMNS, { part }),
      packets: new Table(join(argument, 'packets'), PACKET_COLUMNS, PACKET_COLUMNS, { part }),
      findings: new Table(join(argument, 'findings'), FINDING_COLUMNS, FINDING_COLUMNS, { part }),
    };
    const found = new Found(session);
    const undecoded = undecodedPackets(session, {
      make: (view): PacketRecord => session.recorder.packet(view, view.interfaceId),
      write: (packet) => tables.packets.add(packet),
      sizeOf,
    });
    return {
      event: (event, info) => {
        found.event(event, info);
        tables.exchanges.add(session.recorder.event(event, info));
      },
      packet: undecoded.packet,
      flowEnded: (info) => {
        undecoded.flowEnded(info);
        found.flowEnded(info);
        tables.flows.add(session.recorder.flow(info.facts()));
      },
      notes: () => found.notes(),
      end: () => {
        undecoded.end();
        for (const finding of found.list()) {
          tables.findings.add(findingRow(finding, (time) => session.recorder.timeText(time)));
        }
        for (const [name, table] of Object.entries(tables)) {
          table.end();
          line(`${name}: ${counted(table.rows, 'row')} in ${counted(table.files, 'file')}`);
        }
      },
    };
  },
};

function findingRow(finding: Finding, timeText: (time: number) => string): Row {
  const record = findingRecord(finding, timeText);
  const first = record.evidence.find(({ times }) => times !== undefined)?.times?.[0];
  const row = { ...record, time: first ?? timeText(0) };
  return row;
}

function sizeOf({ label, info = '' }: PacketRecord): number {
  return RECORD_BYTES + label.length + info.length;
}
