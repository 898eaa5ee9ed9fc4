import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertExists,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";

const failing: Record<string, () => unknown> = {
  "assert": () => assert(0, "note"),
  "assertEquals": () => assertEquals([1, { a: -0 }], [1, { a: 0 }], "note"),
  "assertEquals of typed arrays": () => assertEquals(Float32Array.of(1, 2), Float32Array.of(1, 3), "note"),
  "assertNotEquals": () => assertNotEquals({ a: NaN }, { a: NaN }, "note"),
  "assertStrictEquals": () => assertStrictEquals({}, {}, "note"),
  "assertExists": () => assertExists(null, "note"),
  "assertInstanceOf": () => assertInstanceOf({}, Error, "note"),
  "assertAlmostEquals": () => assertAlmostEquals(1, 1.1, 0.05, "note"),
  "assertAlmostEquals of NaN": () => assertAlmostEquals(NaN, 1, 1, "note"),
  "assertAlmostEquals of infinities": () => assertAlmostEquals(Infinity, -Infinity, undefined, "note"),
  "assertGreater": () => assertGreater(1, 1, "note"),
  "assertGreater of NaN": () => assertGreater(NaN, 1, "note"),
  "assertGreaterOrEqual": () => assertGreaterOrEqual(0, 1, "note"),
  "assertLess": () => assertLess(1, 1, "note"),
  "assertLessOrEqual": () => assertLessOrEqual(2, 1, "note"),
  "assertMatch": () => assertMatch("abc", /^b/, "note"),
  "assertStringIncludes": () => assertStringIncludes("abc", "d", "note"),
  "assertThrows without a throw": () => assertThrows(() => {}, "note"),
  "assertThrows of another class": () => assertThrows(() => fail(), TypeError, "", "note"),
  "assertThrows of another message": () => assertThrows(() => fail("x"), AssertionError, "y", "note"),
  "fail": () => fail("note"),
};

for (const [name, fn] of Object.entries(failing)) {
  Deno.test(`${name} fails with an AssertionError that carries the message`, () => {
    let thrown: unknown;
    try {
      fn();
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof AssertionError)) throw new Error(`${name} threw ${thrown}`);
    if (!thrown.message.includes("note")) throw new Error(`${name}'s message lacks the note: ${thrown.message}`);
  });
}

Deno.test("assertions that hold return, those about errors with the error", async () => {
  assertEquals([NaN, { a: Uint8Array.of(1) }], [NaN, { a: Uint8Array.of(1) }]);
  assertNotEquals(1, 2);
  assertStrictEquals(NaN, NaN);
  assertAlmostEquals(1 + 1e-8, 1);
  assertAlmostEquals(-Infinity, -Infinity);
  const error = new RangeError("too large");
  assertStrictEquals(
    assertThrows(
      () => {
        throw error;
      },
      RangeError,
      "large",
    ),
    error,
  );
  assertStrictEquals(await assertRejects(() => Promise.reject(error), RangeError, "large"), error);
  assertStrictEquals(await assertRejects(() => Promise.reject(7)), 7);
});

Deno.test("assertRejects fails where nothing rejects and where the function throws", async () => {
  await assertRejects(() => assertRejects(() => Promise.resolve(1)), AssertionError, "to reject");
  const throwing = () => {
    throw new TypeError("at once");
  };
  await assertRejects(() => assertRejects(throwing, TypeError), AssertionError, "at once");
});
