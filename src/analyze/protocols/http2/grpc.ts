/** gRPC status codes by number (grpc.io, "Status codes and their use in gRPC"). */
const STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** The name of a `grpc-status`; undefined for an invalid one. */
export function grpcStatus(code: string): string | undefined {
  return /^\d{1,2}$/.test(code) ? (STATUSES[Number(code)] ?? `STATUS ${code}`) : undefined;
}

/** ns of the units of `grpc-timeout` (gRPC over HTTP2, "Requests"). */
const UNITS: Readonly<Record<string, number>> = { H: 3600e9, M: 60e9, S: 1e9, m: 1e6, u: 1e3, n: 1 };

/** A `grpc-timeout` in ns: `300m`; undefined for an invalid one. */
export function grpcTimeout(text: string): number | undefined {
  const [, value, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return value === undefined ? undefined : Number(value) * (UNITS[unit] ?? 0);
}

/** `grpc-message` is percent-encoded (gRPC over HTTP2, "Responses"). */
export function grpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `/shop.Cart/Add` as service and method. */
export function grpcMethod(path: string): { readonly service: string; readonly method: string } {
  const [, service = '', method = ''] = /^\/([^/]*)\/([^/?]*)/.exec(path) ?? [];
  return { service, method };
}
