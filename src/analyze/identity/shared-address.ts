/** Whether an address is multicast (RFC 5771, RFC 4291) or broadcast: many hosts listen to it. @param address RFC 5952 text */
export function isToMany(address: string): boolean {
  if (address.includes(':')) return /^ff[0-9a-f]{2}:/.test(address);
  const first = Number.parseInt(address, 10);
  return (first >= 224 && first <= 239) || address === '255.255.255.255';
}

/** Whether no host alone has an address: one of many, or unspecified. */
export function isShared(address: string): boolean {
  return isToMany(address) || address === '::' || address === '0.0.0.0';
}
