import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { AnalysisEvent, Fields } from '../../analyze/record/event.ts';
import { fieldsIn } from '../../analyze/record/field-values.ts';
import type { EventRecord, Recorder } from '../../analyze/record/record.ts';
import { type HttpRequest, httpRequest } from '../../view/http/request.ts';
import { counted } from '../../view/units.ts';

/** Picks the HTTP requests out of what the analysis finds, each once. */
export class HttpRequests {
  readonly #recorder: () => Recorder;
  /** HTTP exchanges of which the request was not seen. */
  #left = 0;

  constructor(recorder: () => Recorder) {
    this.#recorder = recorder;
  }

  /** @param take gets the request of an exchange with its record and the protocol's fields, where it is one of HTTP */
  each(
    event: AnalysisEvent,
    flow: FlowInfo,
    take: (request: HttpRequest, record: EventRecord, http: Fields) => void,
  ): void {
    // The other leg of a connection has the same requests.
    if (event.kind !== 'exchange' || flow.sameAs !== undefined) return;
    const http = fieldsIn(event.fields.http);
    if (http === undefined) return;
    const record = this.#recorder().event(event, flow);
    const request = httpRequest(record, http);
    if (request === undefined) this.#left += 1;
    else take(request, record, http);
  }

  notes(): string[] {
    return this.#left === 0 ? [] : [`${counted(this.#left, 'HTTP exchange')} left out: the request was not seen`];
  }
}
