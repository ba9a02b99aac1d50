import { protocolTitle } from '../../analyze/protocols/titles.ts';
import { makeReport } from '../../analyze/summary/make-report.ts';
import { stateOf } from '../../analyze/summary/state.ts';
import { stateDocument } from '../../analyze/summary/state-write.ts';
import { Colours } from '../../view/colour.ts';
import { isCsvTable } from '../../view/csv-tables.ts';
import { jsonLine } from '../../view/json-line.ts';
import { isMapFormat } from '../../view/map/formats.ts';
import { summaryTables } from '../../view/summary-tables.ts';
import { csvLines } from '../analysis/csv.ts';
import { mapLines } from '../analysis/map.ts';
import type { Merged } from './merge.ts';
import type { MergeOutput } from './outputs.ts';

/** How merged summaries are printed. */
export interface MergedStyle {
  readonly output: MergeOutput;
  /** What stands behind the output's name: `csv=routes`. */
  readonly argument: string | undefined;
  readonly json: boolean;
  readonly colour: boolean;
  /** Columns of the terminal; undefined without a terminal. */
  readonly width: number | undefined;
}

/** Lines of merged summaries. */
export function mergedLines(
  { totals, parts }: Pick<Merged, 'totals' | 'parts'>,
  style: MergedStyle,
): readonly string[] {
  const { output, argument, json, colour, width } = style;
  if (output === 'summary-state') return [JSON.stringify(stateDocument(stateOf(totals), parts.list()))];
  const report = makeReport(totals);
  if (output === 'csv') return csvLines(report, isCsvTable(argument) ? argument : 'services');
  if (output === 'map') return mapLines(report, json ? 'json' : isMapFormat(argument) ? argument : 'tree', colour);
  if (json || output === 'json') return [jsonLine(report)];
  return summaryTables(report, { colours: new Colours(colour), width, titleOf: protocolTitle });
}
