import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { recordCommand } from '../../../src/cli/captures/record.ts';
import type { RawRecordOptions } from '../../../src/cli/captures/record-options.ts';
import { EXIT } from '../../../src/wire/errors.ts';
import type { JsonObject } from '../../../src/wire/guard.ts';
import { condition, TenantPlace } from '../../capture/tenant/tenant-place.ts';

let place: TenantPlace;
let kubeconfig: string;
/** What the controller writes once the Capture is there. */
let status: JsonObject | undefined;
let made: () => void;
let printed: string;

beforeEach(async () => {
  [status, printed, made] = [undefined, '', () => {}];
  place = new TenantPlace();
  const kube = await place.open(() => {
    if (status !== undefined) place.write(status);
    made();
  });
  kube.close();
  kubeconfig = place.kubeconfig();
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  }
});

afterEach(async () => {
  vi.restoreAllMocks();
  await place.close();
});

const record = (raw: RawRecordOptions = {}) => recordCommand(['svc/web'], { kubeconfig, ...raw });
const deleted = () => place.ends.filter((end) => end.startsWith('DELETE') && end.includes(place.uid)).length;

function admitted(capturing: JsonObject, counts: JsonObject, degraded = condition('Degraded', 'False', 'AsWanted')) {
  return {
    phase: 'Pending',
    targets: { wanted: 0, capturing: 0, failed: 0, ...counts },
    conditions: [condition('Admitted', 'True', 'Allowed'), capturing, degraded],
  };
}

test('a recording that records is created, and said to record', async () => {
  status = admitted(condition('Capturing', 'True', 'Recording', 'Recorded pods: 2 of 2, on nodes: 1.'), {
    wanted: 2,
    capturing: 2,
  });
  expect(await record()).toBe(EXIT.done);
  expect(printed).toContain('capture/ksnoop-abc created\n');
  expect(printed).toContain('recording. Recorded pods: 2 of 2, on nodes: 1.');
  expect(deleted()).toBe(0);
});

const noPods = condition('Capturing', 'False', 'NoPods', 'Recorded pods: 0 of 0, on nodes: 0.');
const missing = condition('Degraded', 'True', 'TargetsNotFound', 'There is no service "web" in namespace shop.');
const ended = condition('Capturing', 'False', 'Ended', 'Recorded pods: 0 of 1, on nodes: 0.');
const full = condition('Degraded', 'True', 'NotAsWanted', 'Node node1 has no place for it.');
const unplaced = {
  phase: 'Pending',
  conditions: [condition('Admitted', 'False', 'NoDestination', 'There is no destination "nowhere".')],
};

test.each<[string, JsonObject, string, RegExp]>([
  ['a destination that there is not', unplaced, 'CAPTURE_REFUSED', /no destination "nowhere"/],
  ['a target that there is not', admitted(noPods, {}, missing), 'NO_SUCH_TARGET', /There is no service "web"/],
  ['pods of which none can be recorded', admitted(noPods, { wanted: 1, failed: 1 }, full), 'NOTHING_CAPTURED', /place/],
  ['nodes that all refuse', admitted(ended, { wanted: 1 }, full), 'NOTHING_CAPTURED', /no place/],
])('with %s nothing is left, and nothing is said to be created', async (_, found, code, message) => {
  status = found;
  await expect(record()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(deleted()).toBe(1);
  expect(printed).not.toContain('created\n');
  expect(printed).toContain('capture/ksnoop-abc ended: nothing is recorded');
});

test('of a target without pods the Capture stays', async () => {
  const waiting = condition('Degraded', 'True', 'TargetsWithoutPods', 'svc/web has no pods.');
  status = admitted(noPods, {}, waiting);
  expect(await record()).toBe(EXIT.partial);
  expect(deleted()).toBe(0);
});

test('a recording that is full at once stays', async () => {
  status = { ...admitted(ended, { wanted: 1 }), counters: { packets: 900 } };
  expect(await record()).toBe(EXIT.partial);
  expect([deleted(), printed]).toEqual([0, expect.stringContaining('It has ended already')]);
});

test('Ctrl-C before it records leaves no Capture', async () => {
  made = () => process.emit('SIGINT');
  await expect(record()).rejects.toMatchObject({ code: 'INTERRUPTED' });
  expect(deleted()).toBe(1);
});

test('a Capture that cannot be removed is named', async () => {
  status = unplaced;
  place.refusesDelete = true;
  await expect(record()).rejects.toMatchObject({ code: 'CAPTURE_REFUSED' });
  // Who may not delete it stops it.
  expect(place.ends.at(-1)).toContain('"state":"Stopped"');
});

test('without waiting the Capture stays as it is', async () => {
  status = unplaced;
  expect(await record({ wait: 'false' })).toBe(EXIT.done);
  expect([deleted(), printed]).toEqual([0, 'capture/ksnoop-abc created\n']);
});

test.each([
  ['http.status >=', /^--trigger: .*at its end/],
  ['http.statu == 500', /^--trigger: there is no field "http.statu"/],
  ['src.pod == "web"', /cannot look at src.pod/],
])('the trigger %s is refused before anything is made', async (trigger, message) => {
  await expect(record({ trigger })).rejects.toMatchObject({
    code: 'BAD_TRIGGER',
    message: expect.stringMatching(message),
  });
  expect(place.spec).toEqual({});
});
