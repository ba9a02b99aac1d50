/** Tables of a summary that are written as CSV, by the member of the JSON that holds their rows. */
export const CSV_TABLES = {
  services: 'services',
  pods: 'pods',
  callers: 'callers',
  routes: 'routes',
  dns: 'dns',
  tls: 'tls',
  grpc: 'grpc',
  tcp: 'tcp.servers',
} as const;
export type CsvTable = keyof typeof CSV_TABLES;

export const CSV_TABLE_NAMES: readonly string[] = Object.keys(CSV_TABLES);

export function isCsvTable(text: string | undefined): text is CsvTable {
  return text !== undefined && Object.hasOwn(CSV_TABLES, text);
}
