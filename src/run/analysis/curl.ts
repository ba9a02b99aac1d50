import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { curlLine } from '../../view/http/curl.ts';
import { HttpRequests } from './http-requests.ts';

/** A curl command for each HTTP request, without secrets and bodies (docs/exports.md). */
export const curl: AnalysisOutputKind = {
  detail: true,
  packets: false,
  create: ({ session, line }) => {
    const requests = new HttpRequests(() => session.recorder);
    return {
      event: (event, flow) => requests.each(event, flow, (request) => line(curlLine(request))),
      notes: () => requests.notes(),
    };
  },
};
