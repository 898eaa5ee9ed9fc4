/**
 * The shapes of the inputs: from the model, from `--shape`, from files, and by default.
 *
 * @module
 */
import type { Dimension, ModelPort } from "@webnn/deno/onnx";
import { namedValue, type Options } from "./command.ts";
import { formatShape } from "./elements.ts";
import { Failure, UsageError } from "./errors.ts";

/** The option for shapes. */
export const SHAPE_OPTIONS = {
  shape: {
    kind: "list",
    value: "NAME=1,3,224,224",
    help: "the shape of an input with free dimensions\n(a free first dimension is 1 by default)",
  },
} as const satisfies Options;

/** Shapes by the name of the input. */
export type Shapes = ReadonlyMap<string, readonly number[]>;

/** Parses the values of `--shape`. */
export function parseShapes(given: readonly string[]): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const text of given) {
    const [name, list] = namedValue(text, "--shape", "1,3,224,224");
    const shape = list === "[]" ? [] : list.replace(/^\[(.*)\]$/, "$1").split(/\s*[,x×]\s*/).map(Number);
    if (!/\d|^\[\]$/.test(list) || shape.some((size) => !Number.isInteger(size) || size < 0 || size > 2 ** 31 - 1)) {
      throw new UsageError(`--shape ${name} must be integers separated by commas, not ${JSON.stringify(list)}`);
    }
    if (shapes.has(name)) throw new UsageError(`--shape ${name} is given twice`);
    shapes.set(name, shape);
  }
  return shapes;
}

/** Finds an input by name. */
export function portNamed(inputs: readonly ModelPort[], name: string, option: string): ModelPort {
  const port = inputs.find((input) => input.name === name);
  if (port) return port;
  const names = inputs.map((input) => JSON.stringify(input.name)).join(", ");
  throw new Failure(`${option}: the model has no input ${JSON.stringify(name)}; its inputs: ${names || "none"}`);
}

/** Rejects a shape that does not fit an input. */
export function checkShape({ name, shape }: ModelPort, given: readonly number[], source: string): void {
  const fits = shape === undefined ||
    (shape.length === given.length && shape.every((size, i) => typeof size !== "number" || size === given[i]));
  if (fits) return;
  throw new Failure(
    `${source}: the input ${JSON.stringify(name)} has the shape ${formatShape(shape)}, not ${formatShape(given)}`,
  );
}

/** The sizes of free dimensions by name, from given shapes. */
export function dimensionsOf(inputs: readonly ModelPort[], given: Shapes): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const { name, shape } of inputs) {
    given.get(name)?.forEach((size, i) => {
      const dimension = shape?.[i];
      if (typeof dimension === "string") sizes[dimension] ??= size;
    });
  }
  return sizes;
}

/** The shapes of all inputs. A free first dimension is 1 by default; other free dimensions must be given. */
export function completeShapes(inputs: readonly ModelPort[], given: Shapes): Map<string, readonly number[]> {
  const sizes = dimensionsOf(inputs, given);
  for (const { name, shape } of inputs) {
    const first = given.has(name) ? undefined : shape?.[0];
    if (typeof first === "string") sizes[first] ??= 1;
  }
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of inputs) {
    const complete = given.get(name) ?? shape?.map((size, i) => sizeOfDimension(size, i, sizes));
    if (!complete?.every((size) => size !== undefined)) {
      const example = shape?.map((size, i) => sizeOfDimension(size, i, sizes) ?? size ?? "?").join(",") ?? "...";
      const what = `the input ${JSON.stringify(name)} has the shape ${formatShape(shape)}`;
      throw new Failure(`${what}; give it sizes with --shape ${name}=${example}, and a number for each free dimension`);
    }
    shapes.set(name, complete as readonly number[]);
  }
  return shapes;
}

function sizeOfDimension(size: Dimension, axis: number, sizes: Readonly<Record<string, number>>): number | undefined {
  if (typeof size === "number") return size;
  return size === null ? (axis === 0 ? 1 : undefined) : sizes[size];
}
