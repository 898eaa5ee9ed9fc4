/**
 * `conv` and `conv_transpose` in two dimensions. Sums are in float64. The inner loops run along rows, so that a network
 * with some hundred million multiplications takes about a second.
 *
 * @module
 */

import { sameShape } from "../../../src/shape.ts";
import type { Parameters, Rows } from "./operation.ts";
import { float32, type Tensor, zeros } from "./tensor.ts";
import { type Axis, dimensions4, inside, numbersOf, padding, windowCount } from "./window.ts";

/** The geometry of both operations: a large image, and a small one with one position per window. */
interface Geometry {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  /** The number of windows. */
  readonly rows: number;
  readonly columns: number;
}

function axes(p: Parameters, size: readonly [number, number], kernel: readonly [number, number]): [Axis, Axis] {
  const pad = padding(p);
  const strides = numbersOf(p, "strides", 2);
  const dilations = numbersOf(p, "dilations", 2);
  const axis = (i: 0 | 1): Axis => ({
    size: size[i],
    kernel: kernel[i],
    dilation: dilations[i]!,
    stride: strides[i]!,
    padBefore: pad[2 * i]!,
    padAfter: pad[2 * i + 1]!,
  });
  return [axis(0), axis(1)];
}

/** A run is four numbers: kernel element, window, position in the large image, and length. */
const RUN = 4;

/**
 * For each kernel element, the runs of windows for which it is inside the large image: window `small + i` uses position
 * `large + i * stride` for `i < length`. They are the same for all channels.
 */
function runsOf({ vertical, horizontal, rows, columns }: Geometry): Int32Array {
  const runs: number[] = [];
  for (let ky = 0; ky < vertical.kernel; ky++) {
    const ys = inside(vertical, ky, rows);
    for (let kx = 0; kx < horizontal.kernel; kx++) {
      const { first, end } = inside(horizontal, kx, columns);
      const column = first * horizontal.stride + kx * horizontal.dilation - horizontal.padBefore;
      const place = ky * horizontal.kernel + kx;
      const line = (y: number) => y * vertical.stride + ky * vertical.dilation - vertical.padBefore;
      // If the runs cover whole rows of both images, they form one long run.
      const whole = vertical.stride === 1 && horizontal.stride === 1 && end - first === horizontal.size &&
        columns === horizontal.size;
      if (whole) runs.push(place, ys.first * columns, line(ys.first) * columns, (ys.end - ys.first) * columns);
      else {
        for (let y = ys.first; y < ys.end; y++) {
          runs.push(place, y * columns + first, line(y) * horizontal.size + column, end - first);
        }
      }
    }
  }
  return Int32Array.from(runs);
}

/** The bias of each channel, or zeros. It must be constant: Core ML's compiler has rejected others (Chromium). */
function biasOf(p: Parameters, channels: number): ArrayLike<number> {
  const bias = p.optional("bias");
  if (bias === undefined) return new Float64Array(channels);
  if (!sameShape(bias.shape, [channels])) throw new TypeError(`bias must have ${channels} elements`);
  return bias.data;
}

function conv(p: Parameters): Tensor {
  const x = p.tensor("x");
  const weight = p.tensor("weight");
  const [batch, channels, height, width] = dimensions4("x", x);
  const [outputs, groupChannels, ...kernel] = dimensions4("weight", weight);
  const groups = p.number("groups");
  if (channels !== groupChannels * groups || outputs % groups !== 0) {
    throw new TypeError(`${groups} groups do not fit ${channels} channels, ${outputs} outputs and this weight`);
  }
  const [vertical, horizontal] = axes(p, [height, width], kernel);
  if (!p.isConstant("weight") && (vertical.dilation > 1 || horizontal.dilation > 1)) {
    throw new TypeError("dilations must be 1 if the weight is not constant");
  }
  const geometry = { vertical, horizontal, rows: windowCount(vertical), columns: windowCount(horizontal) };
  const result = zeros(x.dataType, [batch, outputs, geometry.rows, geometry.columns]);
  const bias = biasOf(p, outputs);
  const [image, filter] = [float32(x), float32(weight)];
  const sums = new Float64Array(geometry.rows * geometry.columns);
  const runs = runsOf(geometry);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      sums.fill(bias[o]!);
      const firstChannel = Math.floor(o / (outputs / groups)) * groupChannels;
      for (let c = 0; c < groupChannels; c++) {
        const plane = (n * channels + firstChannel + c) * height * width;
        const kernelPlane = (o * groupChannels + c) * kernel[0] * kernel[1];
        gatherRuns(sums, image, plane, filter, kernelPlane, runs, horizontal.stride);
      }
      result.data.set(sums, (n * outputs + o) * sums.length);
    }
  }
  return result;
}

/** Adds the products of one plane of the image and one of the kernel to each window. */
function gatherRuns(
  sums: Float64Array,
  image: Float32Array,
  plane: number,
  filter: Float32Array,
  kernelPlane: number,
  runs: Int32Array,
  step: number,
): void {
  for (let r = 0; r < runs.length; r += RUN) {
    const factor = filter[kernelPlane + runs[r]!]!;
    const small = runs[r + 1]!;
    const large = plane + runs[r + 2]!;
    const length = runs[r + 3]!;
    for (let i = 0; i < length; i++) sums[small + i]! += factor * image[large + i * step]!;
  }
}

/** The transpose of `conv`: spreads each element of x over its window. */
function convTranspose(p: Parameters): Tensor {
  const x = p.tensor("x");
  const weight = p.tensor("weight");
  const [batch, channels, rows, columns] = dimensions4("x", x);
  const [weightChannels, groupOutputs, ...kernel] = dimensions4("weight", weight);
  const groups = p.number("groups");
  if (weightChannels !== channels || channels % groups !== 0) {
    throw new TypeError(`${groups} groups do not fit ${channels} channels and a weight of ${weightChannels}`);
  }
  const outputs = groupOutputs * groups;
  const [n, c, height, width] = numbersOf(p, "output_shape", 4) as [number, number, number, number];
  if (n !== batch || c !== outputs) throw new TypeError(`output_shape must start with ${batch}, ${outputs}`);
  const [vertical, horizontal] = axes(p, [height, width], kernel);
  if (windowCount(vertical) !== rows || windowCount(horizontal) !== columns) {
    throw new TypeError(`for output_shape [${n}, ${c}, ${height}, ${width}], conv does not give the shape of x`);
  }
  const geometry = { vertical, horizontal, rows, columns };
  const result = zeros(x.dataType, [batch, outputs, height, width]);
  const bias = biasOf(p, outputs);
  const [image, filter] = [float32(x), float32(weight)];
  const sums = new Float64Array(height * width);
  const runs = runsOf(geometry);
  const groupChannels = channels / groups;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < outputs; o++) {
      sums.fill(bias[o]!);
      const firstChannel = Math.floor(o / groupOutputs) * groupChannels;
      for (let c = firstChannel; c < firstChannel + groupChannels; c++) {
        const plane = (n * channels + c) * rows * columns;
        const kernelPlane = (c * groupOutputs + o % groupOutputs) * kernel[0] * kernel[1];
        scatterRuns(sums, image, plane, filter, kernelPlane, runs, horizontal.stride);
      }
      result.data.set(sums, (n * outputs + o) * sums.length);
    }
  }
  return result;
}

/** Spreads one plane of the small image over the large one, with one plane of the kernel. */
function scatterRuns(
  sums: Float64Array,
  image: Float32Array,
  plane: number,
  filter: Float32Array,
  kernelPlane: number,
  runs: Int32Array,
  step: number,
): void {
  for (let r = 0; r < runs.length; r += RUN) {
    const factor = filter[kernelPlane + runs[r]!]!;
    const small = plane + runs[r + 1]!;
    const large = runs[r + 2]!;
    const length = runs[r + 3]!;
    for (let i = 0; i < length; i++) sums[large + i * step]! += factor * image[small + i]!;
  }
}

const GEOMETRY = ["strides", "pad_type", "pad", "dilations", "groups"];

export const convolution: Rows = {
  conv: { values: ["x", "weight"], constants: ["bias", ...GEOMETRY], optional: ["bias"], compute: conv },
  conv_transpose: {
    values: ["x", "weight"],
    constants: ["bias", "output_shape", ...GEOMETRY],
    optional: ["bias"],
    compute: convTranspose,
  },
};
