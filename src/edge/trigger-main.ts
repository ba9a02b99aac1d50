/** The thread that evaluates a recording's trigger (agent/recording/trigger-thread starts it). */

import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { TriggerControl, TriggerData, TriggerReport } from '../agent/recording/trigger-messages.ts';
import { KsnoopError } from '../wire/errors.ts';
import { Trigger } from './trigger/trigger.ts';

/** How often windows are looked at that may have ended, milliseconds. */
const LOOK_MS = 500;

const report = (message: TriggerReport) => parentPort?.postMessage(message);
const trigger = begun(workerData as TriggerData);
if (trigger !== undefined) run(trigger);

function begun(data: TriggerData): Trigger | undefined {
  try {
    const made = new Trigger(data, report);
    report({ type: 'ready' });
    return made;
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    report({ type: 'refused', message: thrown.message, hint: thrown.hint });
    return undefined;
  }
}

/** What is written is taken in order; what is removed from the ring is known at once. */
function run(evaluated: Trigger): void {
  const waiting: TriggerControl[] = [];
  let taken = 0;
  let isRunning = false;
  const next = async () => {
    if (isRunning) return;
    isRunning = true;
    for (let control = waiting.shift(); control !== undefined; control = waiting.shift()) {
      if (control.type === 'grew') {
        evaluated.grew(control.piece, control.from, control.to);
        taken += control.to - control.from;
        report({ type: 'taken', bytes: taken });
        await setImmediate();
      } else if (control.type === 'end') {
        evaluated.end();
        report({ type: 'done' });
      }
    }
    isRunning = false;
  };
  parentPort?.on('message', (control: TriggerControl) => {
    if (control.type === 'gone') evaluated.gone(control.piece);
    else {
      waiting.push(control);
      void next();
    }
  });
  setInterval(() => {
    if (waiting.length === 0 && !isRunning) evaluated.look();
  }, LOOK_MS);
}
