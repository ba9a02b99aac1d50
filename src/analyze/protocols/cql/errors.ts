/** Codes of errors (CQL binary protocol 5, section 9). */
const ERRORS: ReadonlyMap<number, string> = new Map([
  [0x0000, 'ServerError'],
  [0x000a, 'ProtocolError'],
  [0x0100, 'BadCredentials'],
  [0x1000, 'Unavailable'],
  [0x1001, 'Overloaded'],
  [0x1002, 'IsBootstrapping'],
  [0x1003, 'TruncateError'],
  [0x1100, 'WriteTimeout'],
  [0x1200, 'ReadTimeout'],
  [0x1300, 'ReadFailure'],
  [0x1400, 'FunctionFailure'],
  [0x1500, 'WriteFailure'],
  [0x1600, 'CDCWriteFailure'],
  [0x1700, 'CASWriteUnknown'],
  [0x2000, 'SyntaxError'],
  [0x2100, 'Unauthorized'],
  [0x2200, 'Invalid'],
  [0x2300, 'ConfigError'],
  [0x2400, 'AlreadyExists'],
  [0x2500, 'Unprepared'],
]);

export function errorName(code: number): string {
  return ERRORS.get(code) ?? `0x${code.toString(16).padStart(4, '0')}`;
}

const CONSISTENCIES: readonly string[] = [
  'ANY',
  'ONE',
  'TWO',
  'THREE',
  'QUORUM',
  'ALL',
  'LOCAL_QUORUM',
  'EACH_QUORUM',
  'SERIAL',
  'LOCAL_SERIAL',
  'LOCAL_ONE',
];

export function consistencyName(code: number): string {
  return CONSISTENCIES[code] ?? '';
}
