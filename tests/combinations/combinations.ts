/**
 * Tests of graphs with several operators on each installed device: an engine's optimisers may change their results.
 *
 * @module
 */

import { cpus } from "node:os";
import { assert } from "@std/assert";
import { createContext, type MLContext, MLGraphBuilder, type MLOperand, type MLOperandDataType } from "@webnn/deno";
import { type Element, encode, type RefTensor } from "../reference/mod.ts";
import {
  cpu,
  ggml,
  isGpuSoftware,
  openvino,
  openvinoPlugin,
  type TestDevice,
  testOn,
  webgpu,
} from "../support/devices.ts";
import { runGraph } from "../support/run_operator.ts";

/** Why OpenVINO's plug-in has no device on this machine, even if it is installed. */
const NOT_INTEL = cpus()[0]?.model.includes("Intel") ? undefined : "it supports only Intel's processors";

/** All devices that tests use. */
export const DEVICES: readonly TestDevice[] = [
  cpu,
  webgpu,
  openvino,
  { ...openvinoPlugin, missing: openvinoPlugin.missing ?? NOT_INTEL },
  ggml,
];

/** The functions with which a program builds its graph. */
export interface Writer {
  readonly builder: MLGraphBuilder;
  /** A float32 constant. */
  f(shape: readonly number[], values: readonly number[]): MLOperand;
  /** A constant. */
  k(dataType: MLOperandDataType, shape: readonly number[], values: readonly Element[]): MLOperand;
  /** A float32 input. */
  x(shape: readonly number[], values: readonly number[]): MLOperand;
  /** An input of any type. */
  input(dataType: MLOperandDataType, shape: readonly number[], values: readonly Element[]): MLOperand;
}

/** A program: builds a graph and returns its outputs. */
export type Program = (writer: Writer) => MLOperand | readonly MLOperand[];

/** Runs a program. Returns the elements of all outputs in one list. */
export async function compute(context: MLContext, program: Program): Promise<number[]> {
  const builder = new MLGraphBuilder(context);
  const inputs: Record<string, RefTensor> = {};
  const k: Writer["k"] = (dataType, shape, values) =>
    builder.constant({ dataType, shape: [...shape] }, encode(dataType, values));
  const input: Writer["input"] = (dataType, shape, values) => {
    const name = `input${Object.keys(inputs).length}`;
    inputs[name] = { dataType, shape: [...shape], data: [...values] };
    return builder.input(name, { dataType, shape: [...shape] });
  };
  const outputs = [program({
    builder,
    k,
    input,
    f: (shape, values) => k("float32", shape, values),
    x: (shape, values) => input("float32", shape, values),
  })].flat();
  const results = await runGraph(context, builder, inputs, outputs);
  return results.flatMap(({ data }) => [...data].map(Number));
}

/** How much a result may differ: by `relative` times the expected value, or by `absolute`; both are 0 by default. */
export interface Tolerance {
  readonly relative?: number;
  readonly absolute?: number;
  /** Whether 0 and -0 count as different; there is no tolerance then. */
  readonly isExact?: boolean;
}

/** Asserts that results equal the expected ones within a tolerance. */
export function assertNear(
  actual: readonly number[],
  expected: readonly number[],
  { relative = 0, absolute = 0, isExact = false }: Tolerance = {},
): void {
  const isNear = (value: number, i: number) => {
    const target = expected[i]!;
    if (Object.is(value, target)) return true;
    if (isExact) return false;
    return value === target || Math.abs(value - target) <= Math.max(absolute, relative * Math.abs(target));
  };
  assert(
    actual.length === expected.length && actual.every(isNear),
    `got ${actual.join(" ")}\nexpected ${expected.join(" ")}`,
  );
}

/** The tolerance of a test, and its exceptions. */
export interface TestOptions extends Tolerance {
  /** The devices that compute another result, each with the reason. */
  readonly not?: Readonly<Record<string, string>>;
}

/** For tests that need float16. */
export const NO_FLOAT16: TestOptions = isGpuSoftware
  ? { not: { webgpu: "the software GPU does not support float16" } }
  : {};

/** Registers a test of a program on each device. */
export function testProgram(
  title: string,
  program: Program,
  expected: readonly number[],
  { not = {}, ...tolerance }: TestOptions = {},
): void {
  for (const device of DEVICES) {
    const reason = not[device.name];
    const where: TestDevice = reason === undefined ? device : { ...device, missing: reason };
    testOn(where, title, async () => {
      assertNear(await compute(await contextOn(device), program), expected, tolerance);
    });
  }
}

const contexts = new Map<TestDevice, Promise<MLContext>>();

/** The context of a device, which all tests of a file share: a test must not destroy it. */
export function contextOn(device: TestDevice): Promise<MLContext> {
  let context = contexts.get(device);
  if (!context) contexts.set(device, context = createContext(device.options));
  return context;
}
