import { type JsonObject, objectAt, optionalString, requireString } from '../../wire/guard.ts';

/** What every object has: who it is. `namespace` is empty for objects of the cluster. */
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
