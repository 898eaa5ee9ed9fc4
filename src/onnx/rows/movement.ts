/**
 * Operators that only move elements (reshape, slice, pad, reorder), and operators that return constants.
 *
 * @module
 */

import { elementCount } from "../../shape.ts";
import type { NodeView } from "../node.ts";
import { join, type Operand, range } from "../operand.ts";
import { type Row, rows } from "../row.ts";
import { isPlain } from "../element_type.ts";
import { unsupported } from "../errors.ts";
import { elementsOf, numbersOf } from "../value.ts";

function reshape(node: NodeView, x: Operand, wanted: Operand): Operand {
  const keepsZero = node.since >= 14 && node.flag("allowzero");
  const list = wanted.numbers("shape");
  const sizes = list.map((size, i) =>
    size === 0 && !keepsZero
      ? x.shape[i] ?? unsupported(`the shape has a 0 for axis ${i}, which the input does not have`)
      : size
  );
  const rest = sizes.reduce((product, size) => size === -1 ? product : product * size, 1);
  const result = sizes.map((size) => size === -1 ? x.size / rest : size);
  if (elementCount(result) !== x.size || !result.every((size) => Number.isInteger(size) && size >= 0)) {
    unsupported(`[${x.shape}] cannot be reshaped to [${list}]`);
  }
  return x.reshape(result);
}

/** Reshapes to a matrix: the axes before `axis` become one axis, and the others the second. */
export function flattened(x: Operand, axis: number): Operand {
  const at = axis < 0 ? axis + x.rank : axis;
  return x.reshape([elementCount(x.shape.slice(0, at)), elementCount(x.shape.slice(at))]);
}

/** The axes: an attribute before the version `inputSince`, an input since then. */
export function axesOf(node: NodeView, inputSince: number, axes?: Operand): readonly number[] | undefined {
  return node.since >= inputSince ? axes?.numbers("axes") : node.ints("axes");
}

function squeeze(node: NodeView, x: Operand, axes?: Operand): Operand {
  const given = axesOf(node, 13, axes);
  const gone = given ? x.axes(given) : range(0, x.rank).filter((i) => x.shape[i] === 1);
  if (gone.some((axis) => x.shape[axis] !== 1)) {
    unsupported(`the axes [${gone}] of [${x.shape}] do not all have size 1`);
  }
  return x.reshape(x.shape.filter((_, i) => !gone.includes(i)));
}

function unsqueeze(node: NodeView, x: Operand, axes?: Operand): Operand {
  const given = axesOf(node, 13, axes) ?? unsupported("axes are missing");
  const rank = x.rank + given.length;
  const added = x.axes(given, rank);
  const rest = x.shape.values();
  return x.reshape(range(0, rank).map((i) => added.includes(i) ? 1 : rest.next().value ?? 1));
}

function split(node: NodeView, x: Operand, parts?: Operand): Operand[] {
  const axis = x.axis(node.int("axis", 0));
  const size = x.shape[axis]!;
  const lengths = node.since >= 13 ? parts?.numbers("split") : node.ints("split");
  const sizes = lengths ?? evenParts(size, node.int("num_outputs", node.outputCount));
  if (sizes.reduce((a, b) => a + b, 0) !== size || sizes.some((part) => part < 0)) {
    unsupported(`the sum of the parts [${sizes}] is not ${size}`);
  }
  let start = 0;
  return sizes.map((count) => {
    start += count;
    return x.cut(axis, start - count, count);
  });
}

/** The sizes of equal parts; the last part may be smaller. */
function evenParts(size: number, count: number): number[] {
  const each = Math.ceil(size / count);
  return range(0, count).map((i) => Math.min(each, size - i * each));
}

/** Starts, ends, axes and steps: attributes before version 10, inputs since then. */
function slice(node: NodeView, x: Operand, ...inputs: (Operand | undefined)[]): Operand {
  const list = (i: number, name: "axes" | "ends" | "starts") =>
    node.since >= 10 ? inputs[i]?.numbers(name) : node.ints(name);
  const starts = list(0, "starts") ?? unsupported("starts are missing");
  const ends = list(1, "ends") ?? unsupported("ends are missing");
  const [axes, steps] = [list(2, "axes"), inputs[3]?.numbers("steps")];
  return starts.reduce((part, start, i) => {
    const axis = x.axis(axes ? axes[i]! : i);
    return strided(part, axis, start, ends[i]!, steps?.[i] ?? 1);
  }, x);
}

/** Slices an axis like Python, with a step that may be negative. */
function strided(x: Operand, axis: number, start: number, end: number, step: number): Operand {
  const size = x.shape[axis]!;
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const clamp = (position: number) => Math.min(high, Math.max(low, position < 0 ? position + size : position));
  const from = clamp(start);
  const count = Math.max(0, Math.ceil((clamp(end) - from) / step));
  if (step > 0 || count === 0) return x.cut(axis, from, count, step);
  return x.cut(axis, from + (count - 1) * step, count, -step).reverse({ axes: [axis] });
}

function expand(_: NodeView, x: Operand, shape: Operand): Operand {
  const wanted = shape.numbers("shape");
  const rank = Math.max(wanted.length, x.rank);
  const at = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
  return x.expand(range(0, rank).map((i) => at(wanted, i) === 1 ? at(x.shape, i) : at(wanted, i)));
}

function tile(_: NodeView, x: Operand, repeats: Operand): Operand {
  const times = repeats.numbers("repeats");
  const shape = x.shape.map((size, i) => size * times[i]!);
  return shape.includes(0) ? x.empty(shape) : x.tile(times);
}

/** The padding before and after each axis: 0 for axes that the node does not list. */
function paddings(node: NodeView, x: Operand, axes?: Operand): [before: number[], after: number[]] {
  const pads = node.since >= 11 ? node.input(1).numbers("pads") : node.neededInts("pads");
  const list = node.since >= 18 && axes ? x.axes(axes.numbers("axes")) : range(0, x.rank);
  if (pads.length !== 2 * list.length) unsupported(`pads must have ${2 * list.length} elements, not ${pads.length}`);
  const at = (offset: number) =>
    range(0, x.rank).map((axis) => list.includes(axis) ? pads[list.indexOf(axis) + offset]! : 0);
  return [at(0), at(list.length)];
}

/** Negative padding crops the input before positive padding is added. */
function pad(node: NodeView, x: Operand, _?: Operand, value?: Operand, axes?: Operand): Operand {
  const [begin, end] = paddings(node, x, axes);
  const kept = x.shape.map((size, i) => size + Math.min(0, begin[i]!) + Math.min(0, end[i]!));
  if (kept.some((size) => size <= 0)) unsupported("its negative padding removes all elements");
  const inner = kept.reduce((x, size, axis) => x.cut(axis, Math.max(0, -begin[axis]!), size), x);
  const [before, after] = [begin, end].map((list) => list.map((size) => Math.max(0, size))) as [number[], number[]];
  const mode = node.string("mode", "constant");
  if (mode === "constant") return padConstant(node, inner, before, after, value);
  const outside = OUTSIDE[mode] ?? unsupported(`the mode ${mode} is not supported`);
  return before.reduce((x, count, axis) => padByPosition(x, axis, count, after[axis]!, outside), inner);
}

function padConstant(node: NodeView, x: Operand, before: number[], after: number[], input?: Operand): Operand {
  if (node.since < 11) return x.pad(before, after, { value: node.float("value", 0) });
  if (!input) return x.pad(before, after);
  const value = input.ifKnown();
  if (value) return x.pad(before, after, { value: elementsOf(value)[0] ?? unsupported("the value is empty") });
  const inside = node.constant("uint8", [], 1).expand(x.shape).pad(before, after);
  return inside.where(x.pad(before, after), input.reshape([]));
}

/** The index of the element used for a position outside of an axis. */
type Outside = (position: number, size: number) => number;

const OUTSIDE: Readonly<Record<string, Outside>> = {
  edge: (position, size) => Math.min(size - 1, Math.max(0, position)),
  wrap: (position, size) => ((position % size) + size) % size,
  reflect: (position, size) => {
    const period = Math.max(1, 2 * (size - 1));
    const phase = ((position % period) + period) % period;
    return Math.min(phase, period - phase) % size;
  },
};

function padByPosition(x: Operand, axis: number, before: number, after: number, outside: Outside): Operand {
  if (before + after === 0) return x;
  const size = x.shape[axis]!;
  return x.gatherAt(range(-before, size + after).map((position) => outside(position, size)), axis);
}

function depthToSpace(node: NodeView, x: Operand): Operand {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const block = node.int("blocksize");
  const channels = c / (block * block);
  const isCrd = node.string("mode", "DCR") === "CRD";
  const apart = x.reshape(isCrd ? [n, channels, block, block, h, w] : [n, block, block, channels, h, w]);
  return apart.transpose(isCrd ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
    .reshape([n, channels, h * block, w * block]);
}

function spaceToDepth(node: NodeView, x: Operand): Operand {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  const block = node.int("blocksize");
  const apart = x.reshape([n, c, h / block, block, w / block, block]);
  return apart.transpose([0, 3, 5, 1, 2, 4]).reshape([n, c * block * block, h / block, w / block]);
}

function trilu(node: NodeView, x: Operand, k?: Operand): Operand {
  if (x.shape.includes(0)) return x;
  const limit = 2 ** 31 - 1;
  const diagonal = Math.max(-limit, Math.min(limit, k?.number("k") ?? 0));
  return x.triangular({ upper: node.flag("upper", true), diagonal });
}

/** A matrix with ones on a diagonal. Only the shape and type of the input matter. */
function eyeLike(node: NodeView, x: Operand): Operand {
  const [rows, columns] = x.shape as [number, number];
  const type = node.elementType("dtype") ?? x.type;
  if (!isPlain(type)) return unsupported(`the type ${type} is not supported`);
  const diagonal = node.int("k", 0);
  const elements = range(0, rows * columns).map((i) => i % columns - Math.floor(i / columns) === diagonal ? 1 : 0);
  return node.constant(type, [rows, columns], elements);
}

function centerCropPad(node: NodeView, x: Operand, shape: Operand): Operand {
  const wanted = shape.numbers("shape");
  const axes = node.ints("axes");
  return wanted.reduce((x, target, i) => {
    const axis = x.axis(axes ? axes[i]! : i);
    const missing = target - x.shape[axis]!;
    if (missing <= 0) return x.cut(axis, Math.floor(-missing / 2), target);
    return x.padAxis(axis, Math.floor(missing / 2), Math.ceil(missing / 2));
  }, x);
}

/** Reverses the first elements of each sequence in a batch. */
function reverseSequence(node: NodeView, x: Operand, sequenceLengths: Operand): Operand {
  const [batchAxis, timeAxis] = [node.int("batch_axis", 1), node.int("time_axis", 0)];
  const lengths = sequenceLengths.numbers("sequence_lens");
  const parts = range(0, x.shape[batchAxis]!).map((i) => {
    const positions = range(0, x.shape[timeAxis]!).map((t) => t < lengths[i]! ? lengths[i]! - 1 - t : t);
    return x.cut(batchAxis, i, 1).gatherAt(positions, timeAxis);
  });
  return join(parts, batchAxis);
}

/** Keeps the positions where the condition is true. It must be known, because it determines the size of the result. */
function compress(node: NodeView, x: Operand, condition: Operand): Operand {
  const positions = condition.numbers("condition").flatMap((flag, i) => flag ? [i] : []);
  return node.hasAttribute("axis")
    ? x.gatherAt(positions, x.axis(node.int("axis")))
    : x.reshape([x.size]).gatherAt(positions, 0);
}

function constantNode(node: NodeView): Operand {
  const list = (type: "float32" | "int64", elements?: readonly number[]) =>
    elements && node.constant(type, [elements.length], elements);
  if (node.hasAttribute("value")) return node.tensor("value");
  if (node.hasAttribute("value_float")) return node.constant("float32", [], node.float("value_float"));
  if (node.hasAttribute("value_int")) return node.constant("int64", [], node.int("value_int"));
  return list("float32", node.floats("value_floats")) ?? list("int64", node.ints("value_ints")) ??
    unsupported("constants of this kind are not supported");
}

/** Fills a shape with the only element of the tensor `value`, by default 0. */
function constantOfShape(node: NodeView, shape: Operand): Operand {
  const value = node.hasAttribute("value") ? node.tensor("value") : node.constant("float32", [1], 0);
  return value.reshape([]).expand(shape.numbers("the shape"));
}

function shapeOf(node: NodeView, { shape }: Operand): Operand {
  const bound = (at: number) => Math.min(Math.max(at < 0 ? at + shape.length : at, 0), shape.length);
  const part = shape.slice(bound(node.int("start", 0)), bound(node.int("end", shape.length)));
  return node.constant("int64", [part.length], part);
}

/** The maximum number of elements of Range's result. */
const MAXIMUM_RANGE = 2 ** 22;

function rangeOf(_: NodeView, ...inputs: Operand[]): Operand {
  const [start, limit, delta] = inputs.map((input, i) => input.number(["start", "limit", "delta"][i]!));
  const length = Math.max(Math.ceil((limit! - start!) / delta!), 0);
  if (!(length <= MAXIMUM_RANGE)) unsupported(`its result of ${length} elements is too large`);
  return inputs[0]!.constant([length], range(0, length).map((i) => start! + i * delta!));
}

/** The coordinates of the elements that are not 0. These must be known, because they determine the result's size. */
function nonZero(node: NodeView, x: Operand): Operand {
  const found = numbersOf(x.known("the input")).flatMap((element, i) => element !== 0 ? [i] : []);
  const coordinates = x.shape.flatMap((size, axis) => {
    const stride = elementCount(x.shape.slice(axis + 1));
    return found.map((at) => Math.floor(at / stride) % size);
  });
  return node.constant("int64", [x.rank, found.length], coordinates);
}

export const movement: Row[] = rows("", {
  CenterCropPad: [18, 2, centerCropPad],
  Compress: [9, 2, compress],
  Concat: [4, 1, (node, ...inputs) => join(inputs, inputs[0]!.axis(node.int("axis")))],
  Constant: [1, 0, constantNode],
  ConstantOfShape: [9, 1, constantOfShape],
  DepthToSpace: [1, 1, depthToSpace],
  Expand: [8, 2, expand],
  EyeLike: [9, 1, eyeLike],
  Flatten: [1, 1, (node, x) => flattened(x, node.int("axis", 1))],
  NonZero: [9, 1, nonZero],
  OptionalGetElement: [15, 1, (_, x) => x],
  OptionalHasElement: [15, 0, (node, x?) => node.constant("bool", [], x ? 1 : 0)],
  Pad: [[2, 11, 18], 1, pad],
  Range: [11, 3, rangeOf],
  Reshape: [[5, 14], 2, reshape],
  ReverseSequence: [10, 2, reverseSequence],
  Shape: [1, 1, shapeOf],
  Size: [1, 1, (node, x) => node.constant("int64", [], x.size)],
  Slice: [[1, 10], 1, slice],
  SpaceToDepth: [1, 1, spaceToDepth],
  Split: [[2, 13], 1, split],
  Squeeze: [[1, 13], 1, squeeze],
  Tile: [6, 2, tile],
  Transpose: [1, 1, (node, x) => x.transpose(node.ints("perm") ?? range(0, x.rank).reverse())],
  Trilu: [14, 1, trilu],
  Unsqueeze: [[1, 13], 1, unsqueeze],
});
