/**
 * Stacks the inputs of several requests along the first dimension, and splits the outputs again.
 *
 * @module
 */

import type { ModelPort, TensorData, TensorInput, TensorOutput } from "@webnn/deno/onnx";

/** Inputs of a run, each with its shape. */
export type Inputs = Readonly<Record<string, TensorInput>>;

/** Outputs of a run. */
export type Outputs = Readonly<Record<string, TensorOutput>>;

/** Whether the first dimension of every input and output is free; only then can requests be stacked. */
export function hasFreeRows(ports: readonly ModelPort[]): boolean {
  return ports.length > 0 &&
    ports.every(({ shape }) => shape !== undefined && shape.length > 0 && typeof shape[0] !== "number");
}

/** The number of rows of the inputs; `undefined` if it differs. */
export function rowsOf(inputs: Inputs): number | undefined {
  const [first, ...others] = Object.values(inputs).map(({ shape }) => shape?.[0]);
  return others.every((rows) => rows === first) ? first : undefined;
}

/** The key of inputs that can be stacked: the shapes of their rows. */
export function rowKey(inputs: Inputs): string {
  return Object.keys(inputs).sort().map((name) => `${name}:${inputs[name]!.shape!.slice(1)}`).join(";");
}

/** Stacks the inputs of several requests. */
export function stack(requests: readonly Inputs[]): Inputs {
  return Object.fromEntries(
    Object.keys(requests[0]!).map((name) => {
      const parts = requests.map((inputs) => inputs[name]!);
      const rows = parts.reduce((sum, { shape }) => sum + shape![0]!, 0);
      return [name, { data: concatenate(parts.map(({ data }) => data)), shape: [rows, ...parts[0]!.shape!.slice(1)] }];
    }),
  );
}

/** A view of some rows of a tensor. */
export function slice<T extends TensorInput | TensorOutput>(tensor: T, start: number, rows: number): T {
  const [all, ...rest] = tensor.shape!;
  const size = tensor.data.length / all!;
  return { ...tensor, data: tensor.data.subarray(start * size, (start + rows) * size), shape: [rows, ...rest] };
}

/** Splits outputs by request; `undefined` if an output does not have a row for each row of the inputs. */
export function unstack(outputs: Outputs, counts: readonly number[]): Outputs[] | undefined {
  const total = counts.reduce((sum, rows) => sum + rows, 0);
  if (Object.values(outputs).some(({ shape }) => shape[0] !== total)) return undefined;
  let start = 0;
  return counts.map((rows) => {
    const own = Object.entries(outputs).map(([name, tensor]) => [name, slice(tensor, start, rows)]);
    start += rows;
    return Object.fromEntries(own);
  });
}

function concatenate(parts: readonly TensorData[]): TensorData {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = sameKind(parts[0]!, length);
  let at = 0;
  for (const part of parts) {
    whole.set(part as never, at);
    at += part.length;
  }
  return whole;
}

/** Allocates an array of the same type. */
export function sameKind(data: TensorData, length: number): TensorData {
  return new (data.constructor as new (length: number) => TensorData)(length);
}
