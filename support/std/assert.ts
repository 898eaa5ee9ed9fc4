/**
 * The part of `@std/assert` that this project uses, with the same names and signatures, on top of `node:assert`.
 *
 * Not every machine that runs the tests can reach JSR, so the `deno.json` of tests and benches maps `@std/assert` to
 * this file. To use the real one, change that line.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

/** The error that all assertions throw. */
export const AssertionError: typeof nodeAssert.AssertionError = nodeAssert.AssertionError;

/** A class, abstract or not, for `instanceof`. */
// deno-lint-ignore no-explicit-any -- a constructor's parameters are contravariant: `unknown[]` would match none
type Class<T> = abstract new (...args: any[]) => T;

const suffix = (msg?: string): string => msg === undefined ? "." : `: ${msg}`;

/** Always throws an {@linkcode AssertionError}. */
export function fail(msg?: string): never {
  throw new AssertionError({ message: `Failed assertion${suffix(msg)}`, stackStartFn: fail });
}

/** Asserts that `expr` is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) {
    throw new AssertionError({ message: msg || "Expected a truthy value", actual: expr, stackStartFn: assert });
  }
}

/** Asserts that `actual` and `expected` are deeply and strictly equal (`NaN` equals `NaN`, `0` differs from `-0`). */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  withMessage(msg, () => nodeAssert.deepStrictEqual(actual, expected));
}

/** Asserts that `actual` and `expected` are not deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  withMessage(msg, () => nodeAssert.notDeepStrictEqual(actual, expected));
}

/** Asserts that `actual` and `expected` are the same value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  withMessage(msg, () => nodeAssert.strictEqual(actual, expected));
}

/** Asserts that `actual` is neither `null` nor `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    fail(`Expected a value, not ${actual}${suffix(msg)}`);
  }
}

/** Asserts that `actual` is an instance of `expectedType`. */
export function assertInstanceOf<T>(actual: unknown, expectedType: Class<T>, msg = ""): asserts actual is T {
  if (!(actual instanceof expectedType)) {
    fail(`Expected an instance of ${expectedType.name}, not ${describe(actual)}${suffix(msg)}`);
  }
}

/**
 * Asserts that two numbers differ by at most `tolerance`; by default 1e-7 times the larger magnitude, and at least 1e-7
 * if `expected` is 0. Equal infinities and two `NaN`s pass.
 */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, msg?: string): void {
  if (Object.is(actual, expected)) return;
  const allowed = tolerance ?? (Number.isFinite(expected) && expected !== 0 ? Math.abs(expected * 1e-7) : 1e-7);
  const difference = Math.abs(expected - actual);
  // Written so that NaN on either side fails.
  if (!(difference <= allowed)) {
    fail(`Expected ${actual} to be within ${allowed} of ${expected}, it is off by ${difference}${suffix(msg)}`);
  }
}

/** Asserts that `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) fail(`Expected ${actual} > ${expected}${suffix(msg)}`);
}

/** Asserts that `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) fail(`Expected ${actual} >= ${expected}${suffix(msg)}`);
}

/** Asserts that `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) fail(`Expected ${actual} < ${expected}${suffix(msg)}`);
}

/** Asserts that `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) fail(`Expected ${actual} <= ${expected}${suffix(msg)}`);
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    fail(`Expected ${JSON.stringify(actual)} to contain ${JSON.stringify(expected)}${suffix(msg)}`);
  }
}

/** Asserts that `actual` matches the pattern `expected`. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (!expected.test(actual)) fail(`Expected ${JSON.stringify(actual)} to match ${expected}${suffix(msg)}`);
}

/** Asserts that `fn` throws. Returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Asserts that `fn` throws an instance of `ErrorClass` whose message contains `msgIncludes`. Returns the error. For
 * functions that return a rejecting promise, use {@linkcode assertRejects}.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  try {
    fn();
  } catch (error) {
    return checkThrown(error, classOrMsg, msgIncludes, msg);
  }
  return fail(`Expected function to throw${suffix(typeof classOrMsg === "string" ? classOrMsg : msg)}`);
}

/** Asserts that the promise returned by `fn` rejects. Returns the reason. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Asserts that the promise returned by `fn` rejects with an instance of `ErrorClass` whose message contains
 * `msgIncludes`. Returns the error. If `fn` throws synchronously, the assertion fails.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: Class<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const userMessage = typeof classOrMsg === "string" ? classOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    fail(`Expected a rejected promise, but the function threw ${describe(error)}${suffix(userMessage)}`);
  }
  try {
    await promise;
  } catch (error) {
    return checkThrown(error, classOrMsg, msgIncludes, msg);
  }
  return fail(`Expected function to reject${suffix(userMessage)}`);
}

function checkThrown(error: unknown, classOrMsg?: Class<Error> | string, msgIncludes?: string, msg?: string): unknown {
  if (typeof classOrMsg !== "function") return error;
  assertInstanceOf(error, classOrMsg, msg);
  if (msgIncludes !== undefined) assertStringIncludes(error.message, msgIncludes, msg);
  return error;
}

/** Puts the caller's message before Node's diff. If the message were passed to Node, it would replace the diff. */
function withMessage(msg: string | undefined, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (msg !== undefined && error instanceof AssertionError) error.message = `${msg}\n${error.message}`;
    throw error;
  }
}

function describe(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
}
