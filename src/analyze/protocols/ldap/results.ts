/** Result codes (RFC 4511, appendix A; RFC 3909, RFC 4528, RFC 4533). */
const RESULTS: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [1, 'operationsError'],
  [2, 'protocolError'],
  [3, 'timeLimitExceeded'],
  [4, 'sizeLimitExceeded'],
  [5, 'compareFalse'],
  [6, 'compareTrue'],
  [7, 'authMethodNotSupported'],
  [8, 'strongerAuthRequired'],
  [10, 'referral'],
  [11, 'adminLimitExceeded'],
  [12, 'unavailableCriticalExtension'],
  [13, 'confidentialityRequired'],
  [14, 'saslBindInProgress'],
  [16, 'noSuchAttribute'],
  [17, 'undefinedAttributeType'],
  [18, 'inappropriateMatching'],
  [19, 'constraintViolation'],
  [20, 'attributeOrValueExists'],
  [21, 'invalidAttributeSyntax'],
  [32, 'noSuchObject'],
  [33, 'aliasProblem'],
  [34, 'invalidDNSyntax'],
  [36, 'aliasDereferencingProblem'],
  [48, 'inappropriateAuthentication'],
  [49, 'invalidCredentials'],
  [50, 'insufficientAccessRights'],
  [51, 'busy'],
  [52, 'unavailable'],
  [53, 'unwillingToPerform'],
  [54, 'loopDetect'],
  [64, 'namingViolation'],
  [65, 'objectClassViolation'],
  [66, 'notAllowedOnNonLeaf'],
  [67, 'notAllowedOnRDN'],
  [68, 'entryAlreadyExists'],
  [69, 'objectClassModsProhibited'],
  [71, 'affectsMultipleDSAs'],
  [80, 'other'],
  [118, 'canceled'],
  [119, 'noSuchOperation'],
  [122, 'assertionFailed'],
  [4096, 'e-syncRefreshRequired'],
]);

/** Codes that are part of normal work: an answer of another kind. */
const USUAL = new Set([0, 5, 6, 10, 14]);

const NO_SUCH_OBJECT = 32;
/** Operations that look for what may not be there. */
const LOOKS = new Set(['search', 'compare', '']);

export function resultName(code: number): string {
  return RESULTS.get(code) ?? `result ${code}`;
}

/** @param operation what was to be done; empty where that is not known */
export function isFailedResult(code: number, operation: string): boolean {
  return code === NO_SUCH_OBJECT ? !LOOKS.has(operation) : !USUAL.has(code);
}

/** Names of extended operations. */
const EXTENDED: ReadonlyMap<string, string> = new Map([
  ['1.3.6.1.4.1.1466.20037', 'StartTLS'],
  ['1.3.6.1.4.1.1466.20036', 'notice of disconnection'],
  ['1.3.6.1.4.1.4203.1.11.1', 'modify password'],
  ['1.3.6.1.4.1.4203.1.11.3', 'who am I'],
  ['1.3.6.1.1.8', 'cancel'],
]);

export function extendedName(oid: string): string {
  return EXTENDED.get(oid) ?? oid;
}
