import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { stateRecord } from '../../analyze/state/state-record.ts';
import { Colours } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { stateLines } from '../../view/state-lines.ts';

/** What the kernel counted in the captured network namespaces, from the states that the file holds (docs/state.md). */
export const state: AnalysisOutputKind = {
  detail: false,
  packets: false,
  create: ({ session, line, colour, json, width }) => ({
    end: () => {
      const colours = new Colours(colour);
      for (const pair of session.states.pairs()) {
        const record = stateRecord(pair, session.interfaces[pair.interfaceId]?.name ?? '');
        if (json) line(jsonLine({ type: 'state', ...record }));
        else for (const text of stateLines(record, width, colours)) line(text);
      }
    },
    notes: () => {
      const { states } = session;
      if (states.left > 0) return [`the states of ${states.left} more interfaces are left out`];
      if (states.pairs().length > 0) return [];
      return ['the capture holds no state: ksnoop writes it into pcapng files of captures longer than half a second'];
    },
  }),
};
