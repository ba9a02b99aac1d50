import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { harEntry, harFrame } from '../../view/http/har.ts';
import { jsonLine } from '../../view/json-line.ts';
import { VERSION } from '../../wire/version.ts';
import { HttpRequests } from './http-requests.ts';

/** An HTTP Archive 1.2 of the HTTP exchanges, written as they come: an entry a line (docs/exports.md). */
export const har: AnalysisOutputKind = {
  detail: true,
  packets: false,
  create: ({ session, line }) => {
    const requests = new HttpRequests(() => session.recorder);
    const { head, end } = harFrame(VERSION);
    let entries = 0;
    const begin = () => {
      if (entries === 0) line(head);
    };
    return {
      event: (event, flow) =>
        requests.each(event, flow, (request, record, http) => {
          begin();
          line((entries === 0 ? '' : ',') + jsonLine(harEntry(record, http, request)));
          entries += 1;
        }),
      end: () => {
        begin();
        line(end);
      },
      notes: () => requests.notes(),
    };
  },
};
