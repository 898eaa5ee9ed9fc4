/**
 * Models with normalisations, resampling and Fourier transforms.
 *
 * @module
 */

import type { AttributeSpec } from "../../support/onnx_writer.ts";
import { binary, cubic, dft, gridSample, normalize, resizeAxis, rmsNormalize } from "../reference.ts";
import { at, make, reshape, sum, type Tensor64 } from "../tensor64.ts";
import { float, floats, list, MICROSOFT, type OwnModel, scalar } from "./model.ts";

function normalizationModels(): OwnModel[] {
  const x = floats([2, 6, 5]);
  const [scale, bias, channels, shifts] = [floats([5]), floats([5]), floats([6]), floats([6])];
  const column = (values: Tensor64) => reshape(values, [6, 1]);
  const [mean, variance] = [floats([6]), floats([6], 0.5, 2)];
  const grouped = reshape(normalize(reshape(x, [2, 3, 10]), [2], 1e-5), x.shape);
  const affine = make(x.shape, (p) => at(grouped, p) * channels.data[p[1]!]! + shifts.data[p[1]!]!);
  const skipped = floats([2, 6, 5]);
  const both = binary("Add", x, skipped);
  const batch = make(x.shape, (p) => {
    const c = p[1]!;
    return (at(x, p) - mean.data[c]!) / Math.sqrt(variance.data[c]! + 1e-3) * channels.data[c]! + shifts.data[c]!;
  });
  const neighbours = make(x.shape, ([n, c, i]) => {
    const squares = sum(3, (k) => at(x, [n!, c! - 1 + k, i!]) ** 2);
    return at(x, [n!, c!, i!]) / (1.5 + 0.2 / 3 * squares) ** 0.6;
  });
  return [
    {
      name: "BatchNormalization",
      op: "BatchNormalization",
      opset: 15,
      attributes: { epsilon: float(1e-3) },
      inputs: [x, channels, shifts, mean, variance],
      outputs: [batch],
    },
    {
      name: "InstanceNormalization",
      op: "InstanceNormalization",
      inputs: [x, channels, shifts],
      outputs: [normalize(x, [2], 1e-5, column(channels), column(shifts))],
    },
    {
      name: "LayerNormalization",
      op: "LayerNormalization",
      inputs: [x, scale, bias],
      outputs: [normalize(x, [2], 1e-5, scale, bias)],
    },
    {
      name: "GroupNormalization",
      op: "GroupNormalization",
      opset: 21,
      attributes: { num_groups: 3 },
      inputs: [x, channels, shifts],
      outputs: [affine],
    },
    {
      name: "RMSNormalization",
      op: "RMSNormalization",
      opset: 23,
      inputs: [x, scale],
      outputs: [rmsNormalize(x, 1e-5, scale)],
    },
    {
      name: "LRN",
      op: "LRN",
      attributes: { size: 3, alpha: float(0.2), beta: float(0.6), bias: float(1.5) },
      inputs: [x],
      outputs: [neighbours],
    },
    {
      name: "MeanVarianceNormalization",
      op: "MeanVarianceNormalization",
      attributes: { axes: [0, 2] },
      inputs: [x],
      outputs: [normalize(x, [0, 2], 0)],
    },
    {
      name: "SkipLayerNormalization",
      op: "SkipLayerNormalization",
      domain: MICROSOFT,
      attributes: { epsilon: float(1e-5) },
      inputs: [x, skipped, scale, bias],
      outputs: [normalize(both, [2], 1e-5, scale, bias), undefined, undefined, both],
    },
    {
      name: "SkipSimplifiedLayerNormalization",
      op: "SkipSimplifiedLayerNormalization",
      domain: MICROSOFT,
      attributes: { epsilon: float(1e-5) },
      inputs: [x, skipped, scale],
      outputs: [rmsNormalize(both, 1e-5, scale), undefined, undefined, both],
    },
  ];
}

function resizeModels(): OwnModel[] {
  const x = floats([1, 2, 5, 6]);
  const tent = (d: number) => Math.max(0, 1 - d);
  const model = (
    name: string,
    sizes: number[],
    attributes: Record<string, AttributeSpec>,
    place: (i: number, size: number, target: number) => number,
    kernel: (d: number) => number,
    radius: number,
  ): OwnModel => {
    const rows = resizeAxis(x, 2, sizes[0]!, (i) => place(i, 5, sizes[0]!), kernel, radius);
    const outputs = [resizeAxis(rows, 3, sizes[1]!, (i) => place(i, 6, sizes[1]!), kernel, radius)];
    return {
      name,
      op: "Resize",
      opset: 19,
      attributes,
      inputs: [x, undefined, undefined, list("int64", 1, 2, ...sizes)],
      known: [3],
      outputs,
    };
  };
  const half = (i: number, size: number, target: number) => (i + 0.5) * size / target - 0.5;
  const corners = (i: number, size: number, target: number) => i * (size - 1) / (target - 1);
  const asymmetric = (i: number, size: number, target: number) => i * size / target;
  const align = { coordinate_transformation_mode: "align_corners" };
  const floor = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
  return [
    model("Resize, linear", [8, 9], { mode: "linear" }, half, tent, 1),
    model("Resize, linear, smaller", [3, 4], { mode: "linear" }, half, tent, 1),
    model("Resize, linear, aligned corners", [9, 4], { mode: "linear", ...align }, corners, tent, 1),
    model("Resize, cubic", [8, 9], { mode: "cubic" }, half, cubic, 2),
    model("Resize, cubic, aligned corners", [3, 11], { mode: "cubic", ...align }, corners, cubic, 2),
    model(
      "Resize, nearest",
      [10, 9],
      { mode: "nearest", ...floor },
      (i, size, target) => Math.floor(asymmetric(i, size, target) + 1e-9),
      (d) => d === 0 ? 1 : 0,
      1,
    ),
  ];
}

function samplingModels(): OwnModel[] {
  const [x, grid] = [floats([2, 3, 5, 6]), floats([2, 4, 3, 2], -1.3, 1.3)];
  const signal = floats([2, 9]);
  const frames = make([2, 3, 5], ([b, frame, i]) => at(signal, [b!, 2 * frame! + i!]));
  return [
    { name: "GridSample", op: "GridSample", opset: 20, inputs: [x, grid], outputs: [gridSample(x, grid)] },
    { name: "DFT", op: "DFT", opset: 20, inputs: [reshape(signal, [2, 9, 1])], outputs: [dft(signal, 9)] },
    {
      name: "DFT, one-sided",
      op: "DFT",
      opset: 17,
      attributes: { axis: 1, onesided: 1 },
      inputs: [reshape(signal, [2, 9, 1])],
      outputs: [dft(signal, 5)],
    },
    {
      name: "STFT",
      op: "STFT",
      opset: 17,
      inputs: [reshape(signal, [2, 9, 1]), scalar("int64", 2), undefined, scalar("int64", 5)],
      known: [1, 3],
      outputs: [dft(frames, 3)],
    },
  ];
}

/** The models of this family. */
export const imagesModels: readonly OwnModel[] = [
  ...normalizationModels(),
  ...resizeModels(),
  ...samplingModels(),
];
