/**
 * Runs with a limit on its address space (`ulimit -v`), whose size in bytes is the argument. Reserves all of it but
 * 512 MB. Prints the available memory after that, and the size of a reservation that does not fit.
 */
import { availableMemory } from "../../ffi/available_memory.ts";
import { reserve } from "../../ffi/reservation.ts";

const LEFT = 512e6;
const status = Deno.readTextFileSync("/proc/self/status");
const used = Number(/VmSize:\s+(\d+)/.exec(status)![1]) * 1024;
const { buffer } = reserve(Number(Deno.args[0]) - used - LEFT);
if (buffer.byteLength === 0) throw new Error("The address space could not be filled");
console.log(`${availableMemory()} ${reserve(2 * LEFT).buffer.byteLength}`);
