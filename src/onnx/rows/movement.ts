/**
 * Operators that only move elements: reshaping, slicing, padding, reordering.
 *
 * @module
 */

import type { MLOperand } from "../../api/ml_operand.ts";
import type { ElementType } from "../model.ts";
import type { NodeView } from "../node.ts";
import { type Row, type RowResult, rows } from "../row.ts";
import { isKnown, known, numbersOf, sizeOf } from "../value.ts";
import { cut, join, nothing, range } from "./calculation.ts";
import { typeNamed } from "./elementwise.ts";

/** Reshapes the input. */
function reshaped(node: NodeView, shape: readonly number[]): RowResult {
  const value = node.value(0);
  return isKnown(value) ? { ...value, shape } : node.reshape(value.operand, shape);
}

function reshape(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const wanted = node.neededNumbers(1, "shape");
  const keepsZero = node.since >= 14 && node.flag("allowzero");
  const sizes = wanted.map((size, i) =>
    size === 0 && !keepsZero ? shape[i] ?? node.refuse(`a 0 for axis ${i}, which the input does not have`) : size
  );
  const rest = sizes.reduce((product, size) => size === -1 ? product : product * size, 1);
  const result = sizes.map((size) => size === -1 ? sizeOf(shape) / rest : size);
  if (sizeOf(result) !== sizeOf(shape)) node.refuse(`[${shape}] cannot be reshaped to [${wanted}]`);
  return reshaped(node, result);
}

function flatten(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const axis = node.int("axis", 1);
  const at = axis < 0 ? axis + shape.length : axis;
  return reshaped(node, [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at))]);
}

/** The axes: an attribute before a version, an input since then. */
export function axesOf(node: NodeView, inputSince: number, input = 1): readonly number[] | undefined {
  return node.since >= inputSince ? node.numbers(input, "axes") : node.ints("axes");
}

function squeeze(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const axes = axesOf(node, 13)?.map((axis) => node.axis(axis, shape.length));
  const gone = axes ?? range(0, shape.length).filter((i) => shape[i] === 1);
  if (gone.some((axis) => shape[axis] !== 1)) node.refuse(`the axes [${gone}] of [${shape}] do not all have size 1`);
  return reshaped(node, shape.filter((_, i) => !gone.includes(i)));
}

function unsqueeze(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const given = axesOf(node, 13) ?? node.refuse("axes are missing");
  const rank = shape.length + given.length;
  const axes = given.map((axis) => node.axis(axis, rank));
  const rest = [...shape];
  return reshaped(node, range(0, rank).map((i) => axes.includes(i) ? 1 : rest.shift()!));
}

function transpose(node: NodeView): RowResult {
  const x = node.input(0);
  return node.builder.transpose(x, { permutation: [...node.ints("perm") ?? x.shape.map((_, i) => i).reverse()] });
}

function concat(node: NodeView): RowResult {
  const rank = node.shape(0).length;
  const axis = node.axis(node.int("axis"), rank);
  const parts = node.inputs.filter((value) => value && value.shape[axis] !== 0).map((value) => node.operand(value!));
  if (parts.length === 0) return node.value(0);
  return parts.length === 1 ? parts[0]! : node.builder.concat(parts, axis);
}

function split(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const axis = node.axis(node.int("axis", 0), shape.length);
  const size = shape[axis]!;
  const lengths = node.since >= 13 ? node.numbers(1, "split") : node.ints("split");
  const sizes = lengths ?? evenParts(size, node.outputCount);
  if (sizes.reduce((a, b) => a + b, 0) !== size) node.refuse(`the sum of the parts [${sizes}] is not ${size}`);
  let start = 0;
  return sizes.map((count) => {
    start += count;
    const part = shape.with(axis, count);
    return part.includes(0) ? nothing(node.type(0), part) : cut(node, node.input(0), axis, start - count, count);
  });
}

/** Splits into equal parts, of which the last may be smaller. */
function evenParts(size: number, count: number): number[] {
  const each = Math.ceil(size / count);
  return range(0, count).map((i) => Math.max(0, Math.min(each, size - i * each)));
}

/** Starts, ends, axes and steps: attributes before version 10, inputs since then. */
function slice(node: NodeView): RowResult {
  const { shape } = node.value(0);
  const list = (i: number, name: string) => node.since >= 10 ? node.numbers(i, name) : node.ints(name);
  const [starts, ends] = [list(1, "starts")!, list(2, "ends")!];
  const axes = (list(3, "axes") ?? starts.map((_, i) => i)).map((axis) => node.axis(axis, shape.length));
  const steps = (node.since >= 10 ? list(4, "steps") : undefined) ?? starts.map(() => 1);
  const parts = axes.map((axis, i) => part(shape[axis]!, starts[i]!, ends[i]!, steps[i]!));
  const empty = shape.map((size, i) => axes.includes(i) ? parts[axes.indexOf(i)]!.count : size);
  if (empty.includes(0)) return nothing(node.type(0), empty);
  let result = node.input(0);
  for (const [i, { start, step, count }] of parts.entries()) {
    result = strided(node, result, axes[i]!, start, step, count);
  }
  return result;
}

/** The positions selected by start, end and step, as in Python slices. */
function part(size: number, start: number, end: number, step: number): { start: number; step: number; count: number } {
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (position: number) => Math.min(high, Math.max(low, position < 0 ? position + size : position));
  const from = step > 0 ? clamp(start) : Math.min(size - 1, Math.max(-1, start < 0 ? start + size : start));
  return { start: from, step, count: Math.max(0, Math.ceil((clamp(end) - from) / step)) };
}

/** Selects elements of an axis with a step that may be negative. */
function strided(node: NodeView, x: MLOperand, axis: number, start: number, step: number, count: number): MLOperand {
  if (step > 0) return cut(node, x, axis, start, count, step);
  const first = start + (count - 1) * step;
  return node.builder.reverse(cut(node, x, axis, first, count, -step), { axes: [axis] });
}

function expand(node: NodeView): RowResult {
  const x = node.input(0);
  const wanted = node.neededNumbers(1, "shape");
  const rank = Math.max(wanted.length, x.shape.length);
  const at = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
  const shape = range(0, rank).map((i) => at(wanted, i) === 1 ? at(x.shape, i) : at(wanted, i));
  if (shape.includes(0)) return nothing(node.type(0), shape);
  return node.builder.expand(x, shape);
}

function tile(node: NodeView): RowResult {
  const [x, repeats] = [node.input(0), node.neededNumbers(1, "repeats")];
  const shape = x.shape.map((size, i) => size * repeats[i]!);
  if (shape.includes(0)) return nothing(node.type(0), shape);
  return node.builder.tile(x, repeats);
}

interface Padding {
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** The padding of all axes, from a list for some axes. */
function paddings(node: NodeView, rank: number): Padding {
  const pads = node.since >= 11 ? node.neededNumbers(1, "pads") : node.neededInts("pads");
  const axes = node.since >= 18 ? node.numbers(3, "axes")?.map((axis) => node.axis(axis, rank)) : undefined;
  const list = axes ?? range(0, rank);
  if (pads.length !== 2 * list.length) node.refuse(`${pads.length} paddings for ${list.length} axes`);
  const at = (axis: number, offset: number) => list.includes(axis) ? pads[list.indexOf(axis) + offset]! : 0;
  return {
    begin: range(0, rank).map((axis) => at(axis, 0)),
    end: range(0, rank).map((axis) => at(axis, list.length)),
  };
}

/** Negative padding crops; this happens before the other padding is added. */
function pad(node: NodeView): RowResult {
  const x = node.input(0);
  const { begin, end } = paddings(node, x.shape.length);
  const kept = x.shape.map((size, i) => size + Math.min(0, begin[i]!) + Math.min(0, end[i]!));
  if (kept.some((size) => size <= 0)) node.refuse("negative paddings that remove all elements");
  const inner = kept.reduce((x, size, axis) => cut(node, x, axis, Math.max(0, -begin[axis]!), size), x);
  const [before, after] = [begin, end].map((list) => list.map((size) => Math.max(0, size)));
  const mode = node.string("mode", "constant");
  if (mode === "constant") return padConstant(node, inner, before!, after!);
  return inner.shape.reduce((x, _, axis) => {
    return padByPosition(node, x, axis, before![axis]!, after![axis]!, mode);
  }, inner);
}

function padConstant(node: NodeView, x: MLOperand, before: number[], after: number[]): MLOperand {
  const value = node.since >= 11 ? (node.has(2) ? node.ifKnown(2) : 0) : node.float("value", 0);
  if (value !== undefined) {
    const number = typeof value === "number" ? value : node.first(value);
    return node.builder.pad(x, before, after, { value: number });
  }
  const inside = node.builder.pad(node.expand(node.scalar("uint8", 1), x.shape), before, after);
  return node.builder.where(inside, node.builder.pad(x, before, after), node.reshape(node.input(2), []));
}

/** The index of the element used for a position outside of an axis. */
const OUTSIDE: Readonly<Record<string, (position: number, size: number) => number>> = {
  edge: (position, size) => Math.min(size - 1, Math.max(0, position)),
  wrap: (position, size) => ((position % size) + size) % size,
  reflect: (position, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const phase = ((position % period) + period) % period;
    return Math.min(phase, period - phase) % size;
  },
};

function padByPosition(node: NodeView, x: MLOperand, axis: number, before: number, after: number, mode: string) {
  if (before + after === 0) return x;
  const outside = OUTSIDE[mode] ?? node.refuse(`the mode ${mode} is not supported`);
  const size = x.shape[axis]!;
  const positions = range(-before, size + after).map((position) => outside(position, size));
  return node.builder.gather(x, node.constant("int32", [positions.length], positions), { axis });
}

function depthToSpace(node: NodeView): RowResult {
  const x = node.input(0);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const block = node.int("blocksize");
  const channels = c / (block * block);
  const isCrd = node.string("mode", "DCR") === "CRD";
  const apart = node.reshape(x, isCrd ? [n, channels, block, block, h, w] : [n, block, block, channels, h, w]);
  const order = node.transpose(apart, isCrd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]);
  return node.builder.reshape(order, [n, channels, h * block, w * block]);
}

function spaceToDepth(node: NodeView): RowResult {
  const x = node.input(0);
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const block = node.int("blocksize");
  const apart = node.reshape(x, [n, c, h / block, block, w / block, block]);
  return node.builder.reshape(node.transpose(apart, [0, 3, 5, 1, 2, 4]), [n, c * block * block, h / block, w / block]);
}

function trilu(node: NodeView): RowResult {
  if (node.shape(0).includes(0)) return node.value(0);
  const x = node.input(0);
  const limit = 2 ** 31 - 1;
  const diagonal = Math.max(-limit, Math.min(limit, node.number(1, "k") ?? 0));
  return node.builder.triangular(x, { upper: node.flag("upper", true), diagonal });
}

/** A matrix with ones on a diagonal. The elements of the input are ignored. */
function eyeLike(node: NodeView): RowResult {
  const [rows, columns] = node.shape(0) as [number, number];
  const type = node.hasAttribute("dtype") ? typeNamed(node, node.int("dtype")) : node.type(0);
  if (!isPlain(type)) return node.refuse(`the type ${type} is not supported`);
  const diagonal = node.int("k", 0);
  const elements = range(0, rows * columns).map((i) => i % columns - Math.floor(i / columns) === diagonal ? 1 : 0);
  return known(type, [rows, columns], elements);
}

type PlainType = Exclude<ElementType, "string" | "other" | "bfloat16" | "int4" | "uint4">;

/** Whether elements of the type fit a typed array. */
function isPlain(type: ElementType): type is PlainType {
  return !["string", "other", "bfloat16", "int4", "uint4"].includes(type);
}

function centerCropPad(node: NodeView): RowResult {
  let x = node.input(0);
  const wanted = node.neededNumbers(1, "shape");
  const axes = node.ints("axes")?.map((axis) => node.axis(axis, x.shape.length)) ?? range(0, x.shape.length);
  for (const [i, axis] of axes.entries()) {
    const [size, target] = [x.shape[axis]!, wanted[i]!];
    if (target < size) x = cut(node, x, axis, Math.floor((size - target) / 2), target);
    const before = Math.floor((target - size) / 2);
    const at = (count: number) => x.shape.map((_, i) => i === axis ? count : 0);
    if (target > size) x = node.builder.pad(x, at(before), at(target - size - before));
  }
  return x;
}

/** Reverses the first elements of each sequence in a batch. */
function reverseSequence(node: NodeView): RowResult {
  const x = node.input(0);
  const [batchAxis, timeAxis] = [node.int("batch_axis", 1), node.int("time_axis", 0)];
  const lengths = node.neededNumbers(1, "sequence_lens");
  const [batch, time] = [x.shape[batchAxis]!, x.shape[timeAxis]!];
  const parts = range(0, batch).map((i) => {
    const positions = range(0, time).map((t) => t < lengths[i]! ? lengths[i]! - 1 - t : t);
    const one = cut(node, x, batchAxis, i, 1);
    return node.builder.gather(one, node.constant("int32", [time], positions), { axis: timeAxis });
  });
  return join(node, parts, batchAxis);
}

/** Keeps the positions where a known condition is true; the size of the result depends on it. */
function compress(node: NodeView): RowResult {
  const positions = numbersOf(node.known(1, "condition")).flatMap((flag, i) => flag ? [i] : []);
  const x = node.input(0);
  const hasAxis = node.hasAttribute("axis");
  const axis = hasAxis ? node.axis(node.int("axis"), x.shape.length) : 0;
  const source = hasAxis ? x : node.reshape(x, [sizeOf(x.shape)]);
  if (positions.length === 0) return nothing(node.type(0), source.shape.with(axis, 0));
  return node.builder.gather(source, node.constant("int32", [positions.length], positions), { axis });
}

/** Demands the elements of operators whose result shape depends on them, so that the evaluator computes them. */
function byElements(node: NodeView): never {
  node.inputs.forEach((_, i) => node.has(i) && node.known(i));
  return node.refuse("it depends on constants that are too large to fold");
}

export const movement: Row[] = rows("", {
  CenterCropPad: [[18], centerCropPad],
  Compress: [[9], compress],
  Concat: [[4], concat],
  ConstantOfShape: [[9], byElements],
  DepthToSpace: [[1], depthToSpace],
  Expand: [[8], expand],
  EyeLike: [[9], eyeLike],
  Flatten: [[1], flatten],
  NonZero: [[9], byElements],
  OptionalGetElement: [[15], (node) => node.value(0)],
  OptionalHasElement: [[15], (node) => known("bool", [], [node.has(0) ? 1 : 0])],
  Pad: [[2, 11, 18], pad],
  Range: [[11], byElements],
  Reshape: [[5, 14], reshape],
  ReverseSequence: [[10], reverseSequence],
  Slice: [[1, 10], slice],
  SpaceToDepth: [[1], spaceToDepth],
  Split: [[2, 13], split],
  Squeeze: [[1, 13], squeeze],
  Tile: [[6], tile],
  Transpose: [[1], transpose],
  Trilu: [[14], trilu],
  Unsqueeze: [[1, 13], unsqueeze],
});
