import { KsnoopError } from '../../wire/errors.ts';
import type { RecordingOrder } from '../../wire/recording.ts';
import { RECORDINGS_MAXIMUM, TRIGGERS_MAXIMUM } from '../limits.ts';
import { type DiskSpace, mebibytes } from './disk-space.ts';
import type { Recording } from './recording.ts';

/**
 * Whether the node has room for another recording: of what the administrator gives to all of them, and of what is free on the disk.
 * @param bytes of all recordings, as the administrator has it
 * @throws KsnoopError RECORDINGS_FULL
 */
export function admitRecording(
  { maxBytes, trigger }: RecordingOrder,
  all: readonly Recording[],
  bytes: number,
  disk: DiskSpace,
): void {
  const reserved = all.reduce((sum, recording) => sum + recording.reserved, 0);
  const needs = `The recording needs ${mebibytes(maxBytes)} of the node's disk`;
  if (reserved + maxBytes > bytes) {
    throw full(`${needs}; recordings have ${mebibytes(reserved)} of ${mebibytes(bytes)}.`);
  }
  const promised = all.reduce((sum, recording) => sum + recording.outstanding, 0);
  if (disk.shortage(promised + maxBytes) !== undefined) {
    throw full(`${needs}; ${disk.words}, and ${mebibytes(promised)} are for recordings that run.`);
  }
  if (all.length >= RECORDINGS_MAXIMUM) throw full(`The node has ${all.length} recordings already.`);
  const triggers = all.filter(({ isTriggered }) => isTriggered).length;
  if (trigger !== undefined && triggers >= TRIGGERS_MAXIMUM) {
    throw full(`The node runs ${triggers} recordings with a trigger already.`);
  }
}

function full(message: string): KsnoopError {
  return new KsnoopError('RECORDINGS_FULL', message, {
    hint: 'Fetch and delete recordings that have ended, record fewer bytes, make room on the disk, or raise KSNOOP_RECORDINGS_BYTES of the agents.',
  });
}
