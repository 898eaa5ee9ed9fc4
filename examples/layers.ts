import type { Weights, WeightTensor } from "./safetensors.ts";

/** The parameters of a convolution. Defaults: no padding, stride 1. */
export interface ConvolutionOptions {
  /** Zeros to add on each of the four sides. */
  padding?: number;
  /** The stride in both directions. */
  stride?: number;
}

/** Adds layers to a graph; each gets its weights by name. */
export interface Layers {
  /** The weights with this name, unchanged. */
  constant(name: string): MLOperand;
  /** A convolution with the filter `<name>_weight` and the bias `<name>_bias`. */
  conv2d(input: MLOperand, name: string, options?: ConvolutionOptions): MLOperand;
  /** A depthwise convolution: one filter per channel. */
  depthwiseConv2d(input: MLOperand, name: string, options?: ConvolutionOptions): MLOperand;
}

/** The data type of the computation. */
export type Float = "float16" | "float32";

/**
 * Creates layers that use `weights`, whose filters have the layout "oihw". For the layout "nhwc", filters are reordered
 * to "ohwi", and depthwise ones to "ihwo".
 */
export function createLayers(
  builder: MLGraphBuilder,
  weights: Weights,
  layout: MLInputOperandLayout,
  dataType: Float = "float32",
): Layers {
  const constantOf = ({ data, shape }: WeightTensor) =>
    builder.constant({ dataType, shape }, dataType === "float16" ? Float16Array.from(data) : data);
  const convolution = (
    input: MLOperand,
    name: string,
    groups: number,
    { padding = 0, stride = 1 }: ConvolutionOptions,
  ): MLOperand => {
    const filterLayout = layout === "nchw" ? "oihw" : groups === 1 ? "ohwi" : "ihwo";
    const filter = layFilter(weightOf(weights, `${name}_weight`), filterLayout);
    return builder.conv2d(input, constantOf(filter), {
      bias: constantOf(weightOf(weights, `${name}_bias`)),
      padding: [padding, padding, padding, padding],
      strides: [stride, stride],
      groups,
      inputLayout: layout,
      filterLayout,
      label: name,
    });
  };
  return {
    constant: (name) => constantOf(weightOf(weights, name)),
    conv2d: (input, name, options = {}) => convolution(input, name, 1, options),
    depthwiseConv2d: (input, name, options = {}) =>
      convolution(input, name, weightOf(weights, `${name}_weight`).shape[0]!, options),
  };
}

/** The shape of a batch of pictures: [batch, channels, size, size] or [batch, size, size, channels]. */
export function imageShape(layout: MLInputOperandLayout, channels: number, size: number, batch = 1): number[] {
  return layout === "nchw" ? [batch, channels, size, size] : [batch, size, size, channels];
}

function weightOf(weights: Weights, name: string): WeightTensor {
  const weight = weights.get(name);
  if (weight === undefined) throw new Error(`the weights have no tensor "${name}"`);
  return weight;
}

type FilterLayout = "oihw" | "ohwi" | "ihwo";
type Axes = readonly [number, number, number, number];

/** For each layout, the positions of its axes in "oihw". */
const AXES_IN_OIHW: Record<FilterLayout, Axes> = { oihw: [0, 1, 2, 3], ohwi: [0, 2, 3, 1], ihwo: [1, 2, 3, 0] };

function layFilter(filter: WeightTensor, layout: FilterLayout): WeightTensor {
  return layout === "oihw" ? filter : permute(filter, AXES_IN_OIHW[layout]);
}

/** Transposes a tensor of rank 4: axis n of the result is axis `axes[n]`. */
function permute({ shape, data }: WeightTensor, axes: Axes): WeightTensor {
  const [, size1, size2, size3] = shape as [number, number, number, number];
  const strides = [size1 * size2 * size3, size2 * size3, size3, 1];
  const sizes = axes.map((axis) => shape[axis]!) as [number, number, number, number];
  const [step0, step1, step2, step3] = axes.map((axis) => strides[axis]!) as [number, number, number, number];
  const permuted = new Float32Array(data.length);
  let to = 0;
  for (let i = 0; i < sizes[0]; i++) {
    for (let j = 0; j < sizes[1]; j++) {
      for (let k = 0; k < sizes[2]; k++) {
        for (let l = 0; l < sizes[3]; l++) {
          permuted[to++] = data[i * step0 + j * step1 + k * step2 + l * step3]!;
        }
      }
    }
  }
  return { shape: sizes, data: permuted };
}
