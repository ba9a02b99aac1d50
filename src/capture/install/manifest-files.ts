import { readFileSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { getAsset } from 'node:sea';
import { isOneExecutable } from '../own-program.ts';

/** A manifest's text; of the one executable, from inside it. @throws when there is none */
export function manifestText(path: string): string {
  return isOneExecutable() ? getAsset(path.replaceAll(sep, '/'), 'utf8') : readFileSync(path, 'utf8');
}

/** Whether a kustomization's resource is another kustomization. */
export function isManifestDirectory(path: string): boolean {
  if (!isOneExecutable()) return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  try {
    manifestText(join(path, 'kustomization.yaml'));
    return true;
  } catch {
    return false;
  }
}
