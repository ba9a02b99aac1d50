import { protocolFields } from '../../analyze/protocols/all-fields.ts';
import type { FieldTable } from '../../analyze/protocols/protocol.ts';
import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../../analyze/record/fields.ts';
import { fieldExamples } from '../../analyze/where/examples.ts';
import type { Section, Topic } from './topic.ts';

function section(title: string, fields: FieldTable): Section {
  const terms = fieldExamples(fields).map(
    ({ path, type, about, expression }) => [path, `${type}: ${about.replaceAll('`', '')}\n${expression}`] as const,
  );
  return { title, parts: [{ terms }] };
}

export const fields: Topic = {
  name: 'fields',
  summary: 'every field that --where takes, with its type and an example',
  sections: [
    {
      title: 'How they are used',
      parts: [
        {
          lines: [
            "ksnoop svc/web --where 'http.status >= 500'",
            'ksnoop read incident.pcapng --where \'failed && latency > duration("200ms")\'',
          ],
        },
        {
          text: 'A comparison with a field that the record does not have is false; has(FIELD) is true when the record has it. Fields are also the members of -o json. ksnoop help filters explains the expressions.',
        },
      ],
    },
    section('Every record', COMMON_FIELDS),
    section('Exchanges, messages, events', EVENT_FIELDS),
    section('Flows (-o flows)', FLOW_FIELDS),
    section('Packets (-o packets)', PACKET_FIELDS),
    ...protocolFields().map((protocol) => section(protocol.title, protocol.fields)),
  ],
};
