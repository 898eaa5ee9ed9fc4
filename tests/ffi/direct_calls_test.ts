/** Calls of functions at given addresses: by pointers, and by symbols of a library that is created in memory. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { checkBinary } from "../../ffi/binary_format.ts";
import { callable, directCalls, noDirectCalls } from "../../ffi/direct_calls.ts";
import { stubImage, stubName } from "../../ffi/stub_image.ts";
import { cString, readCString } from "../../ffi/memory.ts";
import { runChild } from "../../support/child.ts";
import { ADDRESSES, addressOf, FUNCTIONS } from "./libc_functions.ts";

const { os, arch } = Deno.build;
const symbols = os === "linux" && (arch === "x86_64" || arch === "aarch64");
const skipped = symbols ? "" : ` (skipped: Deno has no symbols of functions in memory on ${os} ${arch})`;
const PROGRAM = new URL("call_in_workers.ts", import.meta.url);
/** More calls than it takes until a symbol is created. */
const MANY = 1000;

for (const [kind, direct] of [["pointers", noDirectCalls], ["symbols", directCalls(ADDRESSES)]] as const) {
  Deno.test(`arguments and results of each type, by ${kind}`, () => {
    const abs = callable(addressOf("abs"), FUNCTIONS.abs, direct);
    const memcmp = callable(addressOf("memcmp"), FUNCTIONS.memcmp, direct);
    const strchr = callable(addressOf("strchr"), FUNCTIONS.strchr, direct);
    const strtoull = callable(addressOf("strtoull"), FUNCTIONS.strtoull, direct);
    const [text, other] = [cString("one, two"), cString("one, too")];
    for (let i = 1; i < MANY; i++) {
      assertEquals(abs(-i), i); // i32
      assert(memcmp(text, other, 6n) === 0 && memcmp(text, other, 8n) > 0); // buffers, usize
      const comma = strchr(text, 0x2c); // the result is a pointer
      assertEquals(readCString(comma), ", two");
      assertEquals(strchr(text, 0x21), null);
      assertEquals(strtoull(cString("18446744073709551615"), null, 10), 2n ** 64n - 1n); // a null pointer as an argument
    }
    // deno-lint-ignore no-explicit-any -- the wrong kind of argument
    assertThrows(() => abs("1" as any), TypeError);
  });
}

Deno.test({
  name: `a symbol can be called, and leaves no resource open${skipped}`,
  ignore: !symbols,
  sanitizeResources: true,
  fn() {
    const abs = directCalls(ADDRESSES)(Deno.UnsafePointer.value(addressOf("abs")), FUNCTIONS.abs) as (
      x: number,
    ) => number;
    assert(abs !== undefined);
    assertEquals(abs(-3), 3);
  },
});

Deno.test("a function with an unknown address is called by its pointer", () => {
  const abs = callable(addressOf("abs"), FUNCTIONS.abs, directCalls([Deno.UnsafePointer.value(addressOf("memcmp"))]));
  for (let i = 1; i < MANY; i++) assertEquals(abs(-i), i);
});

Deno.test("workers share the library, and may be terminated during calls", async () => {
  const { code, stdout, stderr } = await runChild(PROGRAM, [], ["--allow-ffi", "--allow-read"]);
  assertEquals([code, stdout], [0, "done"], stderr);
});

Deno.test("the library in memory is a valid ELF file with all symbols, for each architecture", () => {
  const addresses = [0x1122334455667788n, 0x7fffn];
  for (const machine of ["x86_64", "aarch64"] as const) {
    const bytes = stubImage(machine, "stubs", addresses);
    const read = (offset: number, length: number) => new DataView(bytes.buffer, offset, length);
    checkBinary({ path: "stubs", size: bytes.length, read }, { os: "linux", arch: machine });
    const text = new TextDecoder("latin1").decode(bytes);
    for (const address of addresses) assert(text.includes(`\0${stubName(address)}\0`));
  }
});

Deno.test("a stub jumps to its address", () => {
  const x64 = "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11\xff\xe0"; // movabs $0x1122334455667788,%rax; jmp *%rax
  const arm64 = "\x50\x00\x00\x58\x00\x02\x1f\xd6\x88\x77\x66\x55\x44\x33\x22\x11"; // ldr x16, .+8; br x16; the address
  for (const [machine, code] of [["x86_64", x64], ["aarch64", arm64]] as const) {
    const bytes = stubImage(machine, "stubs", [0x1122334455667788n]);
    const at = [...bytes].map((byte) => String.fromCharCode(byte)).join("").indexOf(code);
    assertEquals([at > 0, at % 16], [true, 0]);
  }
});
