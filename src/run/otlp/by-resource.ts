import { type Attributes, keyValues } from './attributes.ts';
import { SCOPE } from './metrics-request.ts';

interface Owned<Item> {
  readonly resource: Attributes;
  readonly item: Item;
}

/** An ExportTraceServiceRequest in OTLP/JSON. */
export function tracesRequest(spans: readonly Owned<object>[]): object {
  const resourceSpans = byResource(spans).map(({ resource, items }) => ({
    resource,
    scopeSpans: [{ scope: SCOPE, spans: items }],
  }));
  return { resourceSpans };
}

/** An ExportLogsServiceRequest in OTLP/JSON. */
export function logsRequest(records: readonly Owned<object>[]): object {
  const resourceLogs = byResource(records).map(({ resource, items }) => ({
    resource,
    scopeLogs: [{ scope: SCOPE, logRecords: items }],
  }));
  return { resourceLogs };
}

function byResource<Item>(owned: readonly Owned<Item>[]): { resource: object; items: Item[] }[] {
  const groups = new Map<string, { resource: object; items: Item[] }>();
  for (const { resource, item } of owned) {
    const key = JSON.stringify(resource);
    const group = groups.get(key) ?? { resource: { attributes: keyValues(resource) }, items: [] };
    groups.set(key, group);
    group.items.push(item);
  }
  return [...groups.values()];
}
