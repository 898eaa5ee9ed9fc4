/**
 * Models with operators that move, gather or scatter elements.
 *
 * @module
 */

import { at, make, spread, type Tensor64 } from "../tensor64.ts";
import { floats, integers, list, type OwnModel, scalar } from "./model.ts";

function movementModels(): OwnModel[] {
  const x = floats([3, 4]);
  const padded = (from: (i: number, size: number) => number) =>
    make([6, 7], ([i, j]) => at(x, [from(i! - 1, 3), from(j! - 2, 4)]));
  const modes: Record<string, (i: number, size: number) => number> = {
    constant: (i) => i,
    edge: (i, size) => Math.max(0, Math.min(size - 1, i)),
    reflect: (i, size) => i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i,
    wrap: (i, size) => (i + size) % size,
  };
  const pads = Object.entries(modes).map(([mode, from]): OwnModel => ({
    name: `Pad, ${mode}`,
    op: "Pad",
    opset: 19,
    attributes: { mode },
    inputs: [x, list("int64", 1, 2, 2, 1)],
    outputs: [padded(from)],
  }));
  const depth = floats([1, 8, 2, 3]);
  const space = (channel: (c: number, dy: number, dx: number) => number) =>
    make([1, 2, 4, 6], ([, c, i, j]) => at(depth, [0, channel(c!, i! % 2, j! % 2), i! >> 1, j! >> 1]));
  return [
    ...pads,
    {
      name: "Slice backwards",
      op: "Slice",
      inputs: [x, list("int64", -1, 3), list("int64", -9, 0), list("int64", 0, 1), list("int64", -2, -1)],
      outputs: [make([2, 3], ([i, j]) => at(x, [2 - 2 * i!, 3 - j!]))],
    },
    {
      name: "Trilu",
      op: "Trilu",
      attributes: { upper: 0 },
      inputs: [x, scalar("int64", -1)],
      outputs: [make([3, 4], ([i, j]) => j! <= i! - 1 ? at(x, [i!, j!]) : 0)],
    },
    {
      name: "DepthToSpace, DCR",
      op: "DepthToSpace",
      attributes: { blocksize: 2 },
      inputs: [depth],
      outputs: [space((c, dy, dx) => (2 * dy + dx) * 2 + c)],
    },
    {
      name: "DepthToSpace, CRD",
      op: "DepthToSpace",
      attributes: { blocksize: 2, mode: "CRD" },
      inputs: [depth],
      outputs: [space((c, dy, dx) => 4 * c + 2 * dy + dx)],
    },
    {
      name: "Expand",
      op: "Expand",
      inputs: [x, list("int64", 2, 1, 4)],
      outputs: [make([2, 3, 4], (p) => spread(x, p))],
    },
    {
      name: "Tile",
      op: "Tile",
      inputs: [x, list("int64", 2, 3)],
      outputs: [make([6, 12], ([i, j]) => at(x, [i! % 3, j! % 4]))],
    },
  ];
}

function indexingModels(): OwnModel[] {
  const x = floats([4, 3]);
  const [rows, updates] = [integers([2, 3], -4, 3), floats([2, 3])];
  const real = (i: number) => (i + 4) % 4;
  const repeated = make([2, 3], () => 1, "int64");
  const added = make(
    x.shape,
    ([i, j]) => at(x, [i!, j!]) + (i === 1 ? at(updates, [0, j!]) + at(updates, [1, j!]) : 0),
  );
  const block = floats([3, 3]);
  const places: Tensor64 = { type: "int64", shape: [3, 1], data: [0, 2, 0] };
  const largest = make(x.shape, ([i, j]) => {
    return Math.max(at(x, [i!, j!]), ...places.data.flatMap((place, k) => place === i ? [at(block, [k, j!])] : []));
  });
  const labels = list("int64", 1, -2, 5);
  const [condition, other] = [make([4, 1], ([i]) => i! % 2, "bool"), floats([3])];
  return [
    {
      name: "Gather",
      op: "Gather",
      inputs: [x, rows],
      outputs: [make([2, 3, 3], ([i, j, k]) => at(x, [real(at(rows, [i!, j!])), k!]))],
    },
    {
      name: "GatherElements",
      op: "GatherElements",
      inputs: [x, rows],
      outputs: [make([2, 3], ([i, j]) => at(x, [real(at(rows, [i!, j!])), j!]))],
    },
    {
      name: "ScatterElements with the reduction add",
      op: "ScatterElements",
      opset: 18,
      attributes: { reduction: "add" },
      inputs: [x, repeated, updates],
      outputs: [added],
    },
    {
      name: "ScatterND with the reduction max",
      op: "ScatterND",
      opset: 18,
      attributes: { reduction: "max" },
      inputs: [x, places, block],
      outputs: [largest],
    },
    {
      name: "OneHot",
      op: "OneHot",
      inputs: [labels, scalar("int64", 4), list("float32", -1, 3)],
      outputs: [make([3, 4], ([i, j]) => (labels.data[i!]! + 4) % 4 === j && labels.data[i!]! < 4 ? 3 : -1)],
    },
    {
      name: "Where",
      op: "Where",
      inputs: [condition, x, other],
      outputs: [make([4, 3], ([i, j]) => i! % 2 ? at(x, [i!, j!]) : other.data[j!]!)],
    },
  ];
}

/** The models of this family. */
export const placesModels: readonly OwnModel[] = [
  ...movementModels(),
  ...indexingModels(),
];
