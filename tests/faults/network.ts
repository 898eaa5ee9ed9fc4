/**
 * A network like the first blocks of MobileNetV2: convolution, depthwise convolution and projection with biases and
 * clamps, and a residual addition. Its synthetic weights are constants, a constant tensor and a scalar.
 *
 * @module
 */
import { type MLContext, MLGraphBuilder, type MLOperand, type MLTensor } from "@webnn/deno";
import { random } from "../../support/random.ts";

const SIZE = 64;
const CHANNELS = 16;

/** The image. */
export const INPUT = { dataType: "float32", shape: [1, 3, SIZE, SIZE] } as const;
/** The result. */
export const OUTPUT = { dataType: "float32", shape: [1, CHANNELS, SIZE / 2, SIZE / 2] } as const;
/** The weights of the projection. */
export const PROJECTION = { dataType: "float32", shape: [CHANNELS, CHANNELS, 1, 1] } as const;

/** Numbers between -1 and 1 for a shape. */
export function numbers(shape: readonly number[], seed: number): Float32Array<ArrayBuffer> {
  const next = random(seed);
  return Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, () => 2 * next() - 1);
}

/** Adds the network to a builder. `projection` is a constant tensor of the shape {@linkcode PROJECTION}. */
export function addNetwork(builder: MLGraphBuilder, projection: MLTensor): MLOperand {
  const constant = (seed: number, shape: number[]) =>
    builder.constant({ dataType: "float32", shape }, numbers(shape, seed));
  const relu6 = (operand: MLOperand) => builder.clamp(operand, { minValue: 0, maxValue: 6 });
  const padding = [1, 1, 1, 1];
  const stem = relu6(builder.conv2d(builder.input("image", INPUT), constant(1, [CHANNELS, 3, 3, 3]), {
    bias: constant(2, [CHANNELS]),
    strides: [2, 2],
    padding,
    label: "stem",
  }));
  const depthwise = relu6(builder.conv2d(stem, constant(3, [CHANNELS, 1, 3, 3]), {
    bias: constant(4, [CHANNELS]),
    groups: CHANNELS,
    padding,
    label: "depthwise",
  }));
  const projected = builder.conv2d(depthwise, builder.constant(projection), {
    bias: constant(5, [CHANNELS]),
    label: "projection",
  });
  return builder.add(builder.mul(projected, builder.constant("float32", 0.5)), stem);
}

/** The steps of a program that runs the network. */
export type Step = "createContext" | "createConstantTensor" | "constant" | "build" | "createTensor" | "readTensor";

/** The result of a program, or the error and the step in which it occurred. */
export type Ending = { readonly step: Step; readonly error: unknown } | { readonly result: Float32Array };

/**
 * Builds and runs the network, and destroys the context. If the run fails, runs again on the same context, which must
 * work because a failed dispatch only invalidates its outputs; `rerun` is that result.
 */
export async function runNetwork(open: () => Promise<MLContext>): Promise<Ending & { rerun?: Float32Array }> {
  let step: Step = "createContext";
  let context: MLContext | undefined;
  try {
    context = await open();
    step = "createConstantTensor";
    const projection = await context.createConstantTensor(PROJECTION, numbers(PROJECTION.shape, 6));
    step = "constant";
    const builder = new MLGraphBuilder(context);
    const output = addNetwork(builder, projection);
    step = "build";
    const graph = await builder.build({ output });
    step = "createTensor";
    const image = await context.createTensor({ ...INPUT, writable: true });
    const result = await context.createTensor({ ...OUTPUT, readable: true });
    context.writeTensor(image, numbers(INPUT.shape, 7));
    step = "readTensor";
    context.dispatch(graph, { image }, { output: result });
    try {
      return { result: new Float32Array(await context.readTensor(result)) };
    } catch (error) {
      context.dispatch(graph, { image }, { output: result });
      return { step, error, rerun: new Float32Array(await context.readTensor(result)) };
    }
  } catch (error) {
    return { step, error };
  } finally {
    context?.destroy();
  }
}
