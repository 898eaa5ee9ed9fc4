/**
 * Inputs and outputs of models as JSON. It imports no library.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Output, OutputFile } from "./engine.ts";
import type { Input } from "./model.ts";

/** An input as JSON, with base64 bytes. */
export type EncodedInput = Omit<Input, "data"> & { readonly base64: string };

/** Encodes an input for a job file. */
export function encodeInput({ data, ...rest }: Input): EncodedInput {
  return { ...rest, base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64") };
}

/** Decodes an input from a job file. */
export function decodeInput({ base64, ...rest }: EncodedInput): Input {
  const { buffer } = new Uint8Array(Buffer.from(base64, "base64"));
  const constructors = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array };
  return { ...rest, data: new constructors[rest.dataType](buffer) };
}

/** Outputs as JSON. */
export function toOutputFile(outputs: Readonly<Record<string, Output>>): OutputFile {
  const entries = Object.entries(outputs).map(([name, { shape, data }]) => {
    const numbers = Array.from(data, Number);
    return [name, { shape, data: numbers.map((value) => Number.isFinite(value) ? value : String(value)) }] as const;
  });
  return Object.fromEntries(entries);
}

/** The largest error of all outputs; infinite if names, shapes or NaNs differ. */
export function errorOf(actual: OutputFile, expected: OutputFile): number {
  const errors = Object.entries(expected).map(([name, { shape, data }]) => {
    const own = actual[name];
    if (!own || own.shape.join() !== shape.join()) return Infinity;
    const largest = data.reduce<number>((most, value) => Math.max(most, Math.abs(Number(value)) || 0), 0);
    const difference = data.reduce<number>((most, value, i) => Math.max(most, distance(value, own.data[i]!)), 0);
    return difference === 0 ? 0 : difference / largest;
  });
  return Math.max(...errors);
}

/** The difference of two values; values that are strings in JSON are either equal or infinitely different. */
function distance(a: number | string, b: number | string): number {
  if (a === b) return 0;
  return typeof a === "number" && typeof b === "number" ? Math.abs(a - b) : Infinity;
}
