/**
 * JSON in which 64-bit integers keep all their digits.
 *
 * @module
 */

import { badRequest } from "./errors.ts";

/**
 * Parses JSON. With `exact`, an integer that a number cannot hold is a bigint.
 * @throws {HttpError} 400 if the text is not JSON
 */
export function parseJson(text: string, { exact = false } = {}): unknown {
  try {
    return exact ? JSON.parse(text, keepDigits) : JSON.parse(text);
  } catch (error) {
    // A reviver is called recursively, and may overflow the stack.
    const reason = error instanceof RangeError ? "it is nested too deeply" : (error as Error).message;
    throw badRequest(`The body is not JSON: ${reason}`);
  }
}

/** Whether a text may contain an integer that a number cannot represent. */
export function hasLongIntegers(text: string): boolean {
  return /(?:^|[^.\d])\d{16}/.test(text);
}

/** The third argument of a reviver, which is missing in TypeScript's library. */
interface Context {
  readonly source?: string;
}

function keepDigits(_key: string, value: unknown, context?: Context): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
  const { source = "" } = context ?? {};
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** Converts a value of `parseJson` to an integer with all its digits; `undefined` if it is not an integer. */
export function exactInteger(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return value;
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}
