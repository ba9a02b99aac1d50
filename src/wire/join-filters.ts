/**
 * Filters (pcap-filter(7)) as one: packets that pass both, and not the third.
 * @param without a filter for what is to be left out
 */
export function joinFilters(
  filter: string | undefined,
  own: string | undefined,
  without?: string | undefined,
): string | undefined {
  const parts = [filter, own].filter((part) => part !== undefined);
  const wanted = parts.length > 1 ? parts.map((part) => `(${part})`).join(' and ') : parts[0];
  if (without === undefined) return wanted;
  return wanted === undefined ? `not (${without})` : `(${wanted}) and not (${without})`;
}
