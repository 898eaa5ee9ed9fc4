/**
 * Small programs for tests of rewrites: the rewritten graph, its results, and the results of the reference.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MLGraphBuilder, type MLOperand } from "../../mod.ts";
import { openVisibleContext } from "../../bench/support/capture.ts";
import type { OrtDevice } from "../../src/backends/onnxruntime/device.ts";
import { lower } from "../../src/backends/onnxruntime/lower.ts";
import { NativeBlock } from "../../src/backends/onnxruntime/native_block.ts";
import type { OnnxGraph } from "../../src/backends/onnxruntime/onnx.ts";
import { rewritesOf } from "../../src/backends/onnxruntime/rewrites.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import { rewrite } from "../../src/rewrite/rewrite.ts";
import { decode, evaluate, type RefTensor, sizeOf, tensor } from "../reference/mod.ts";
import { random } from "../../support/random.ts";
import { runGraph } from "../support/run_operator.ts";

/** Builds a graph. Inputs must be made with `input`, which gives them values. */
export type Program = (tools: Tools) => MLOperand | readonly MLOperand[];

/** The functions with which a program builds its graph. */
export interface Tools {
  readonly b: MLGraphBuilder;
  /** A float32 input. Its values depend on its position in the program. */
  input(shape: number[], scale?: number): MLOperand;
  /** A float32 constant. */
  f(shape: number[], values: number | readonly number[]): MLOperand;
  /** An integer constant. */
  k(dataType: "int4" | "uint4" | "int8" | "uint8" | "int32", shape: number[], values: readonly number[]): MLOperand;
}

/** The result of a program. */
export interface Outcome {
  /** The engine's graph. */
  readonly onnx: OnnxGraph;
  /** The operators of the engine's graph, in order. */
  readonly ops: readonly string[];
  readonly outputs: readonly RefTensor[];
  /** The results of the reference: one operator after another, each rounded to its data type. */
  readonly expected: readonly RefTensor[];
}

/** Builds and runs a program. */
export async function run(program: Program): Promise<Outcome> {
  const { context, device } = await openVisibleContext();
  const seen = watch(device);
  try {
    const builder = new MLGraphBuilder(context);
    const inputs: Record<string, RefTensor> = {};
    const results = [program(toolsOf(builder, inputs))].flat() as MLOperand[];
    const outputs = await runGraph(context, builder, inputs, results);
    const { graph, onnx, constants } = seen();
    return { onnx, ops: onnx.nodes.map(({ op }) => op), outputs, expected: refer(graph, inputs, constants) };
  } finally {
    context.destroy();
  }
}

/**
 * Asserts the operators of the engine's graph, and that its results equal those of the reference.
 * @param tolerance the allowed error, relative to the largest magnitude of an output
 */
export async function assertBecomes(ops: readonly string[], program: Program, tolerance = 2e-6): Promise<Outcome> {
  const outcome = await run(program);
  assertEquals(outcome.ops, ops);
  assertSame(outcome, tolerance);
  return outcome;
}

/** Asserts that the engine's graph lacks these operators, and that its results equal those of the reference. */
export async function assertDoesNotBecome(ops: readonly string[], program: Program, tolerance = 2e-6): Promise<void> {
  const outcome = await run(program);
  assertEquals(outcome.ops.filter((op) => ops.includes(op)), [], `${outcome.ops}`);
  assertSame(outcome, tolerance);
}

/** Asserts that the results of a program equal those of the reference. */
export function assertSame({ outputs, expected, ops }: Outcome, tolerance = 2e-6): void {
  expected.forEach(({ data, shape }, i) => {
    assertEquals(outputs[i]!.shape, shape);
    const largest = data.reduce<number>((most, value) => Math.max(most, Math.abs(Number(value))), 1e-30);
    data.forEach((value, at) => {
      const actual = Number(outputs[i]!.data[at]);
      const isNear = Object.is(actual, Number(value)) || Math.abs(actual - Number(value)) <= tolerance * largest;
      assert(isNear, `output ${i} [${at}] is ${actual}, not ${value}, by ${ops}`);
    });
  });
}

function toolsOf(b: MLGraphBuilder, inputs: Record<string, RefTensor>): Tools {
  return {
    b,
    input(shape, scale = 1) {
      const name = `x${Object.keys(inputs).length}`;
      const next = random(7 + Object.keys(inputs).length);
      const values = Array.from({ length: sizeOf(shape) }, () => Math.fround(scale * (4 * next() - 1.7)));
      inputs[name] = tensor("float32", shape, values);
      return b.input(name, { dataType: "float32", shape });
    },
    f: (shape, values) =>
      b.constant(
        { dataType: "float32", shape },
        typeof values === "number" ? new Float32Array(sizeOf(shape)).fill(values) : Float32Array.from(values),
      ),
    k: (dataType, shape, values) =>
      b.constant({ dataType, shape } as MLOperandDescriptor, integerBytes(dataType, values)),
  };
}

function integerBytes(dataType: Parameters<Tools["k"]>[0], values: readonly number[]): Uint8Array<ArrayBuffer> {
  if (dataType === "int32") return new Uint8Array(Int32Array.from(values).buffer);
  if (dataType === "int8" || dataType === "uint8") return Uint8Array.from(values);
  const bytes = new Uint8Array(Math.ceil(values.length / 2));
  values.forEach((value, i) => bytes[i >> 1]! |= (value & 15) << 4 * (i & 1));
  return bytes;
}

/** Records the graph that the device gets, its constants, and the engine's graph. */
function watch(device: OrtDevice) {
  let seen: { graph: Graph<NativeBlock>; onnx: OnnxGraph; constants: Map<Value, RefTensor> } | undefined;
  const compile = device.compile.bind(device);
  device.compile = (graph) => {
    const shared = graph.constants.map((constant) => ({ ...constant, shared: true }));
    const made: NativeBlock[] = [];
    const store = (byteLength: number, write: (bytes: Uint8Array<ArrayBuffer>) => void) => {
      made.push(NativeBlock.make(device.runtime, byteLength, write));
      return made.at(-1)!;
    };
    const rewritten = rewrite({ ...graph, constants: shared }, rewritesOf(undefined), {
      read: ({ bytes }) => bytes,
      store,
      change: (block, edit) => edit(block.bytes),
      release: (block) => block.release(),
      derive: (_shared, _key, compute) => {
        const bytes = compute();
        return store(bytes.byteLength, (block) => block.set(bytes));
      },
    });
    const constants = new Map(graph.constants.map(({ value, block }) => [value, toTensor(value, block.bytes)]));
    seen = { graph, onnx: lower(rewritten), constants };
    for (const block of made) block.release();
    return compile(graph);
  };
  return () => seen!;
}

function toTensor({ dataType, shape }: Value, bytes: Uint8Array<ArrayBuffer>): RefTensor {
  return tensor(dataType, shape, decode(dataType, sizeOf(shape), bytes.slice().buffer));
}

function refer(
  graph: Graph<unknown>,
  inputs: Readonly<Record<string, RefTensor>>,
  constants: ReadonlyMap<Value, RefTensor>,
): RefTensor[] {
  const values = new Map(constants);
  for (const { name, value } of graph.inputs) values.set(value, inputs[name]!);
  const tensorOf = (value: Value) => values.get(value)!;
  for (const { operator, operands, attributes, outputs } of graph.nodes as Node[]) {
    const named = Object.fromEntries(
      Object.entries(operands).flatMap(([name, operand]) =>
        operand === undefined ? [] : [[name, "shape" in operand ? tensorOf(operand) : operand.map(tensorOf)]]
      ),
    );
    evaluate(operator, named, attributes as Record<string, unknown>).forEach((result, i) =>
      values.set(outputs[i]!, result)
    );
  }
  return graph.outputs.map(({ value }) => tensorOf(value));
}
