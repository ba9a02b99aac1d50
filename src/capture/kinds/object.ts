import { type JsonObject, objectAt, optionalString, requireString } from '../../wire/guard.ts';

/** The identity of an object. `namespace` is empty for cluster-scoped objects. */
export interface ObjectName {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/** @throws KsnoopError INVALID_MESSAGE when it lacks its name or UID */
export function objectName(object: JsonObject): ObjectName {
  const metadata = objectAt(object, 'metadata');
  return {
    name: requireString(metadata, 'name', 'object'),
    namespace: optionalString(metadata, 'namespace') ?? '',
    uid: requireString(metadata, 'uid', 'object'),
  };
}
