import type { AnalysisForm } from '../analysis/form.ts';
import { checkReportFile, type ReportFile, writeReport } from './report-file.ts';

/**
 * A form of analysis that writes the HTML report as well.
 * @throws KsnoopError FILE_EXISTS, CANNOT_WRITE, when it is loaded or at the end
 */
export function withReport(form: AnalysisForm, file: ReportFile): AnalysisForm {
  return {
    ...form,
    load: async () => {
      checkReportFile(file);
      const [kind, { beside }] = await Promise.all([form.load(), import('./beside.ts')]);
      return beside(kind, { ended: (report) => writeReport(file, report.page()) });
    },
  };
}
