/** Checks that a queue that never becomes empty refers only to waiting steps and the step in flight. */
import { Queue } from "../../../src/timeline/queue.ts";

declare const gc: () => void;

/** Steps that always wait in the queue. */
const WAITING = 100;

const queue = new Queue();
const references: WeakRef<object>[] = [];
let finish: () => void = () => {};

/** Adds a step that refers to an object, and is in flight until `finish` is called. */
function add(): void {
  const held = { begun: false };
  references.push(new WeakRef(held));
  queue.add(() => {
    held.begun = true;
    return new Promise((resolve) => finish = resolve);
  });
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));
for (let i = 0; i <= WAITING; i++) add();
for (let i = 0; i < 5 * WAITING; i++) {
  finish();
  add();
  await turn();
}
gc();
await turn();
gc();
const held = references.filter((reference) => reference.deref() !== undefined).length;
console.log(held <= WAITING + 1 ? "released" : `${held} of ${references.length} steps are held`);
