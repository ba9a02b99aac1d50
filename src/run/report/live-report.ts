import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { HtmlReport } from '../analysis/html-report.ts';
import { beside } from './beside.ts';
import { checkReportFile, type ReportFile, writeReport } from './report-file.ts';

/** A report of a capture that runs, whose findings are judged after its end. */
export class LiveReport {
  readonly #file: ReportFile;
  #report: HtmlReport | undefined;

  /** @throws KsnoopError FILE_EXISTS (exit 2) */
  constructor(file: ReportFile) {
    checkReportFile(file);
    this.#file = file;
  }

  /** An output with the report beside it. */
  beside(kind: AnalysisOutputKind): AnalysisOutputKind {
    return beside(kind, {
      began: (report) => {
        this.#report = report;
      },
    });
  }

  /** Write the page after the capture. @returns whether there was a capture. @throws KsnoopError FILE_EXISTS, CANNOT_WRITE */
  write(findings: readonly Finding[]): boolean {
    if (this.#report === undefined) return false;
    writeReport(this.#file, this.#report.page(findings));
    return true;
  }
}
