/**
 * Creates and drops 300 objects, without forcing garbage collection. Prints the largest number of objects that existed
 * at the same time. With the argument `reserved`, each has a reservation of 4 MB.
 */
import { reserve } from "../../ffi/reservation.ts";

const SIZE = Deno.args[0] === "reserved" ? 4 << 20 : 0;

let live = 0;
let peak = 0;
const registry = new FinalizationRegistry<() => void>((release) => {
  release();
  live--;
});

for (let i = 0; i < 300; i++) {
  const holder = { reservation: reserve(SIZE) };
  registry.register(holder, holder.reservation.release);
  peak = Math.max(peak, ++live);
  await new Promise((resolve) => setTimeout(resolve, 0));
}
console.log(peak);
