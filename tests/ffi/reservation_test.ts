import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { runChild } from "../../support/child.ts";
import { reserve } from "../../ffi/reservation.ts";

Deno.test("V8 counts a reservation, but it uses no memory", () => {
  const SIZE = 10 * 2 ** 30;
  const before = Deno.memoryUsage();
  const { buffer, release } = reserve(SIZE);
  const held = Deno.memoryUsage();
  assertEquals(buffer.byteLength, SIZE);
  assertGreater(held.external - before.external, SIZE - 64e6); // Some garbage may have been collected.
  assertLess(held.rss - before.rss, 64e6);
  release();
  const after = Deno.memoryUsage();
  assertLess(after.external - before.external, 64e6);
  console.log(
    `reserved 10 GiB: external +${held.external - before.external}, resident +${held.rss - before.rss} bytes; ` +
      `released: external ${after.external - held.external}`,
  );
});

Deno.test("a released reservation is detached; releasing it again does nothing", () => {
  const first = reserve(1 << 20);
  first.release();
  assert(first.buffer.detached);
  // The system may give the freed range to the next reservation.
  const second = reserve(1 << 20);
  first.release();
  assertEquals(second.buffer.byteLength, 1 << 20);
  if (Deno.build.os !== "windows") assertEquals(new Uint8Array(second.buffer)[12345], 0); // Crashes if unmapped.
  second.release();
});

Deno.test("reserving 0 bytes, or more than the address space, returns an empty buffer", () => {
  for (const byteLength of [0, 2 ** 52]) {
    const { buffer, release } = reserve(byteLength);
    assertEquals(buffer.byteLength, 0);
    release();
  }
});

Deno.test({
  name: "released reservations use no address space",
  ignore: Deno.build.os !== "linux", // The address space in use is read in /proc.
  fn() {
    const cycle = () => reserve(2 ** 32).release();
    cycle();
    const before = addressSpaceInUse();
    for (let i = 0; i < 1000; i++) cycle();
    const grown = addressSpaceInUse() - before;
    assertLess(grown, 2 ** 32);
    console.log(`1000 reservations of 4 GiB: address space +${(grown / 1e6).toFixed(1)} MB`);
  },
});

Deno.test("unreachable reservations are collected in time", async () => {
  const program = new URL("forgotten_reservations.ts", import.meta.url);
  const [reserved, empty] = await Promise.all([runChild(program, ["reserved"]), runChild(program, ["empty"])]);
  assertEquals([reserved.code, reserved.signal, empty.code], [0, null, 0], reserved.stderr);
  console.log(
    `of 300 unreachable objects, at most ${reserved.stdout} existed at once with reservations, ${empty.stdout} without`,
  );
  // V8 collects after 64 MB, which is 16 of them.
  assertLess(Number(reserved.stdout), 50);
  assertGreater(Number(empty.stdout), Number(reserved.stdout));
});

function addressSpaceInUse(): number {
  return Number(/VmSize:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) * 1024;
}
