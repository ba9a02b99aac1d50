import { type Attributes, keyValues } from './attributes.ts';
import { SCOPE } from './metrics-request.ts';

/** A span or a log record, and the resource that it is of. */
export interface Owned {
  readonly resource: Attributes;
  readonly item: object;
}

/** An ExportTraceServiceRequest in OTLP/JSON. */
export function tracesRequest(spans: readonly Owned[]): object {
  const resourceSpans = byResource(spans).map(({ resource, items }) => ({
    resource,
    scopeSpans: [{ scope: SCOPE, spans: items }],
  }));
  return { resourceSpans };
}

/** An ExportLogsServiceRequest in OTLP/JSON. */
export function logsRequest(records: readonly Owned[]): object {
  const resourceLogs = byResource(records).map(({ resource, items }) => ({
    resource,
    scopeLogs: [{ scope: SCOPE, logRecords: items }],
  }));
  return { resourceLogs };
}

function byResource(owned: readonly Owned[]): { resource: object; items: object[] }[] {
  const groups = new Map<string, { resource: object; items: object[] }>();
  for (const { resource, item } of owned) {
    const key = JSON.stringify(resource);
    const group = groups.get(key) ?? { resource: { attributes: keyValues(resource) }, items: [] };
    groups.set(key, group);
    group.items.push(item);
  }
  return [...groups.values()];
}
