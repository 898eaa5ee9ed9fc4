/**
 * The tensors of the reference for ONNX's operators: float64 numbers in row-major order, computed index by index.
 *
 * @module
 */

/** A tensor. Integers and bools are numbers too. */
export interface Tensor64 {
  readonly type: "float32" | "int64" | "int32" | "uint8" | "int8" | "bool";
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A position. */
export type At = readonly number[];

/** The number of elements. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A tensor whose elements are computed from their positions. */
export function make(
  shape: readonly number[],
  element: (at: At) => number,
  type: Tensor64["type"] = "float32",
): Tensor64 {
  return { type, shape, data: positions(shape).map(element) };
}

/** All positions of a shape, in row-major order. */
export function positions(shape: readonly number[]): number[][] {
  return shape.reduceRight<number[][]>(
    (inner, size) => Array.from({ length: size }, (_, i) => inner.map((rest) => [i, ...rest])).flat(),
    [[]],
  );
}

/** The element at a position; outside of the tensor `outside`, by default 0. */
export function at({ shape, data }: Tensor64, position: At, outside = 0): number {
  let index = 0;
  for (const [i, size] of shape.entries()) {
    const p = position[i]!;
    if (p < 0 || p >= size) return outside;
    index = index * size + p;
  }
  return data[index]!;
}

/** The element that broadcasts to a position of a larger shape. */
export function spread(tensor: Tensor64, position: At): number {
  const own = tensor.shape.length === 0 ? [] : position.slice(-tensor.shape.length);
  return at(tensor, own.map((p, i) => tensor.shape[i] === 1 ? 0 : p));
}

/** The common shape to which all shapes broadcast. */
export function broadcast(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from(
    { length: rank },
    (_, i) => Math.max(...shapes.map((shape) => shape[i - rank + shape.length] ?? 1)),
  );
}

/** The sum of a function over the integers from 0 to `to` - 1. */
export function sum(to: number, term: (i: number) => number): number {
  let total = 0;
  for (let i = 0; i < to; i++) total += term(i);
  return total;
}

/** Reduces axes, and keeps them with size 1. */
export function reduceAxes(
  { shape, data }: Tensor64,
  axes: readonly number[],
  combine: (list: number[]) => number,
): Tensor64 {
  const kept = shape.map((size, i) => axes.includes(i) ? 1 : size);
  const lists = new Map<string, number[]>();
  for (const [i, position] of positions(shape).entries()) {
    const key = position.map((p, axis) => axes.includes(axis) ? 0 : p).join();
    lists.set(key, [...lists.get(key) ?? [], data[i]!]);
  }
  return make(kept, (position) => combine(lists.get(position.join())!));
}

/** Reshapes a tensor. */
export function reshape(tensor: Tensor64, shape: readonly number[]): Tensor64 {
  return { ...tensor, shape };
}

/** The product of the matrices in the last two axes; the other axes are broadcast. */
export function matmul(a: Tensor64, b: Tensor64): Tensor64 {
  const [rows, inner, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2), []);
  return make([...batch, rows, columns], (position) => {
    const [outer, r, c] = [position.slice(0, -2), position.at(-2)!, position.at(-1)!];
    return sum(inner, (k) => spread(a, [...outer, r, k]) * spread(b, [...outer, k, c]));
  });
}

/** Permutes the axes of a tensor. */
export function transpose(x: Tensor64, order: readonly number[]): Tensor64 {
  return make(order.map((axis) => x.shape[axis]!), (position) => {
    const from: number[] = [];
    order.forEach((axis, i) => from[axis] = position[i]!);
    return at(x, from);
  });
}
