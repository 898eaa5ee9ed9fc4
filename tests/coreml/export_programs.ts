/**
 * Writes programs as packages for verify_coremltools.py, each with a JSON file of its inputs and outputs if they are
 * known.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { dirname } from "node:path";
import { buildMobileNetV2 } from "../../examples/mobilenetv2.ts";
import { parseSafetensors } from "../../examples/safetensors.ts";
import { buildSqueezeNet } from "../../examples/squeezenet.ts";
import { createMLContext } from "../../src/api/ml_context.ts";
import type { Device, DeviceTensor, Executable } from "../../src/backends/backend.ts";
import type { LowerOptions } from "../../src/backends/coreml/lower.ts";
import type { MilProgram, MilType, MilValue } from "../../src/backends/coreml/mil.ts";
import { widen } from "../../src/backends/coreml/widening.ts";
import { type Descriptor, elementCount } from "../../src/shape.ts";
import { testData } from "../support/test_data.ts";
import type { Tolerance, WptCase } from "../wpt_cases/cases.ts";
import type { Limits } from "../wpt_cases/limits.ts";
import { runCase } from "../wpt_cases/run_case.ts";
import { packageDigest, packageFiles } from "./files.ts";
import { type InterpretedDevice, openInterpretedDevice } from "./interpreted_device.ts";
import { type Elements, runProgram } from "./interpreter/mod.ts";
import { PROGRAMS, WRONG_PROGRAMS } from "./sample_programs.ts";

/** The elements of an input or output, in their type. */
interface TypedBytes {
  readonly dataType: string;
  readonly data: Uint8Array;
}

/** The inputs and outputs of a program, and the tolerance for other implementations. */
interface Run {
  readonly inputs: readonly TypedBytes[];
  readonly outputs: readonly TypedBytes[];
  readonly tolerance: { readonly metric: Tolerance["metricType"]; readonly value: number };
}

/** Writes the handwritten programs, with values from the interpreter. Returns the hash of each package. */
export async function exportHandwritten(folder: string): Promise<string[]> {
  const digests: string[] = [];
  for (const [name, program] of Object.entries(PROGRAMS)) {
    const inputs = program.inputs.map(countingElements);
    const results = runProgram(program, Object.fromEntries(program.inputs.map(({ name }, i) => [name, inputs[i]!])));
    const run: Run = {
      inputs: program.inputs.map(({ dataType }, i) => typedBytes(dataType, inputs[i]!)),
      outputs: program.outputs.map(({ name, dataType }) => typedBytes(dataType, results[name]!.data)),
      tolerance: { metric: "ULP", value: 1 },
    };
    digests.push(await save(folder, name, program, run));
  }
  return digests;
}

/** Writes the wrong programs. */
export async function exportWrong(folder: string): Promise<string[]> {
  const digests: string[] = [];
  for (const [name, { program }] of Object.entries(WRONG_PROGRAMS)) digests.push(await save(folder, name, program));
  return digests;
}

/**
 * Writes the programs of WPT's cases within Core ML's limits, with outputs from the interpreter. These outputs are
 * within the tolerance of the expected values, so other correct outputs differ from them by up to twice the tolerance.
 */
export async function exportCases(
  folder: string,
  cases: readonly WptCase[],
  options: LowerOptions,
): Promise<string[]> {
  const device = recording(openInterpretedDevice(options));
  const context = createMLContext(device);
  const limits = context.opSupportLimits() as unknown as Limits;
  const digests: string[] = [];
  for (const [i, wptCase] of cases.entries()) {
    await runCase(context, limits, wptCase);
    const { program, inputs, outputs } = device.take();
    if (program === undefined) continue;
    const { metricType, value } = wptCase.tolerance;
    const run = inputs && outputs && { inputs, outputs, tolerance: { metric: metricType, value: 2 * value } };
    const name = `${String(i).padStart(4, "0")} ${wptCase.name.replaceAll(/[^A-Za-z0-9]+/g, " ")}`;
    digests.push(await save(folder, name, program, options.float16 ? undefined : run));
  }
  context.destroy();
  return digests;
}

/** The networks of the examples, and the files of the test data that they need. */
export const NETWORKS = [
  ["SqueezeNet 1.1", buildSqueezeNet, "models/squeezenet1.1.safetensors"],
  ["MobileNetV2", buildMobileNetV2, "models/mobilenetv2.safetensors"],
] as const;

/** Compiles the networks. */
export async function compileNetworks(options: LowerOptions): Promise<InterpretedDevice> {
  const device = openInterpretedDevice(options);
  const context = createMLContext(device);
  for (const [, build, weights] of NETWORKS) {
    await build(context as never, parseSafetensors(await Deno.readFile(testData(weights))), {});
  }
  context.destroy();
  return device;
}

/** Writes the networks, without values, because NumPy has no convolutions. */
export async function exportNetworks(folder: string, options: LowerOptions): Promise<string[]> {
  const { programs } = await compileNetworks(options);
  const digests: string[] = [];
  for (const [i, program] of programs.entries()) digests.push(await save(folder, NETWORKS[i]![0], program));
  return digests;
}

/** Writes a package and the file with its inputs and outputs. Returns the hash of the package. */
async function save(folder: string, name: string, program: MilProgram, run?: Run): Promise<string> {
  const files = await packageFiles(program);
  for (const [file, bytes] of files) {
    const path = `${folder}/${name}.mlpackage/${file}`;
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
  if (run !== undefined) {
    const base64 = (list: readonly TypedBytes[]) =>
      list.map(({ dataType, data }) => ({ dataType, data: data.toBase64() }));
    const json = { ...run, inputs: base64(run.inputs), outputs: base64(run.outputs) };
    await Deno.writeTextFile(`${folder}/${name}.json`, JSON.stringify(json));
  }
  return packageDigest(files);
}

/** The program of a compiled graph, and the inputs and outputs of its last run. */
interface Recorded {
  program?: MilProgram;
  inputs?: TypedBytes[];
  outputs?: TypedBytes[];
}

/** A device that records its work until the recording is taken. */
function recording(device: ReturnType<typeof openInterpretedDevice>): Device & { take(): Recorded } {
  let recorded: Recorded = {};
  const descriptors = new WeakMap<DeviceTensor, Descriptor>();
  const elements = (tensors: readonly DeviceTensor[]) =>
    tensors.map((tensor) => storedElements(descriptors.get(tensor)!, tensor.read() as Uint8Array));
  return {
    ...device,
    take() {
      const taken = recorded;
      recorded = {};
      return taken;
    },
    createTensor(descriptor) {
      const tensor = device.createTensor(descriptor) as DeviceTensor;
      descriptors.set(tensor, descriptor);
      return tensor;
    },
    async compile(graph): Promise<Executable> {
      const executable = await device.compile(graph);
      recorded.program = device.programs.pop()!;
      return {
        ...executable,
        async run(inputs, outputs) {
          await executable.run(inputs, outputs);
          recorded.inputs = elements(inputs);
          recorded.outputs = elements(outputs);
        },
      };
    },
  };
}

/** A copy of a tensor's elements. NumPy has no 4-bit integers, so those become int32. */
function storedElements({ dataType, shape }: Descriptor, bytes: Uint8Array): TypedBytes {
  if (dataType !== "int4" && dataType !== "uint4") return { dataType, data: bytes.slice() };
  const elements = new Int32Array(elementCount(shape));
  widen(dataType, bytes, elements);
  return { dataType: "int32", data: new Uint8Array(elements.buffer) };
}

function countingElements({ dataType, shape }: MilValue): Elements {
  const numbers = Array.from({ length: elementCount(shape) }, (_, i) => i % 50 - 20);
  if (dataType === "fp16") return Float16Array.from(numbers);
  return dataType === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers);
}

function typedBytes(dataType: MilType, elements: Elements): TypedBytes {
  const names: Partial<Record<MilType, string>> = { fp32: "float32", fp16: "float16", int32: "int32" };
  const data = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
  return { dataType: names[dataType]!, data };
}
