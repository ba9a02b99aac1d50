/** Return codes of CONNACK before MQTT 5 (3.1.1, section 3.2.2.3). */
const RETURN_CODES: readonly string[] = [
  'accepted',
  'unacceptable protocol version',
  'identifier rejected',
  'server unavailable',
  'bad user name or password',
  'not authorized',
];

/** Reason codes of MQTT 5 (section 2.4) that mean a failure, and those below 0x80 that mean more than success. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [0x10, 'no matching subscribers'],
  [0x11, 'no subscription existed'],
  [0x80, 'unspecified error'],
  [0x81, 'malformed packet'],
  [0x82, 'protocol error'],
  [0x83, 'implementation specific error'],
  [0x84, 'unsupported protocol version'],
  [0x85, 'client identifier not valid'],
  [0x86, 'bad user name or password'],
  [0x87, 'not authorized'],
  [0x88, 'server unavailable'],
  [0x89, 'server busy'],
  [0x8a, 'banned'],
  [0x8b, 'server shutting down'],
  [0x8c, 'bad authentication method'],
  [0x8d, 'keep alive timeout'],
  [0x8e, 'session taken over'],
  [0x8f, 'topic filter invalid'],
  [0x90, 'topic name invalid'],
  [0x91, 'packet identifier in use'],
  [0x92, 'packet identifier not found'],
  [0x93, 'receive maximum exceeded'],
  [0x94, 'topic alias invalid'],
  [0x95, 'packet too large'],
  [0x96, 'message rate too high'],
  [0x97, 'quota exceeded'],
  [0x98, 'administrative action'],
  [0x99, 'payload format invalid'],
  [0x9a, 'retain not supported'],
  [0x9b, 'QoS not supported'],
  [0x9c, 'use another server'],
  [0x9d, 'server moved'],
  [0x9e, 'shared subscriptions not supported'],
  [0x9f, 'connection rate exceeded'],
  [0xa0, 'maximum connect time'],
  [0xa1, 'subscription identifiers not supported'],
  [0xa2, 'wildcard subscriptions not supported'],
]);

/** A code's words; `ok` of any that is no failure and has none. */
export function reasonText(code: number): string {
  return REASONS.get(code) ?? (code < 0x80 ? 'ok' : `reason 0x${code.toString(16)}`);
}

export function returnCodeText(code: number): string {
  return RETURN_CODES[code] ?? `return code ${code}`;
}
