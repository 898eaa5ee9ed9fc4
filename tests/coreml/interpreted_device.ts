/**
 * Core ML as far as it can be tested without macOS: graphs are lowered and written as packages, which are read back;
 * the resulting program is checked against coremltools' description of its operations, and run by the interpreter.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { type Device, type DeviceTensor, type Executable, readRange } from "../../src/backends/backend.ts";
import { ConstantBlock } from "../../src/backends/coreml/constant_block.ts";
import { COREML_LIMITS } from "../../src/backends/coreml/limits.ts";
import { lower, type LoweredProgram, type LowerOptions, type Port } from "../../src/backends/coreml/lower.ts";
import type { MilProgram } from "../../src/backends/coreml/mil.ts";
import { isNarrow, narrow, widen } from "../../src/backends/coreml/widening.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { byteLength, type Descriptor, elementCount } from "../../src/shape.ts";
import { packageDigest, type PackageFiles, packageFiles, readPackage } from "./files.ts";
import { type Elements, runProgram } from "./interpreter/mod.ts";
import { lint } from "./lint.ts";
import { readProgram } from "./reader.ts";

/** Tensors hold the bytes of WebNN tensors. */
interface InterpretedTensor extends DeviceTensor {
  readonly bytes: Uint8Array;
}

/** A device that records what was compiled. */
export interface InterpretedDevice extends Device {
  readonly programs: MilProgram[];
  /** The hash of each program's package. */
  readonly digests: string[];
}

/** Opens a device without native memory, so that nothing has to be released. */
export function openInterpretedDevice(options: LowerOptions): InterpretedDevice {
  const programs: MilProgram[] = [];
  const digests: string[] = [];
  return {
    info: { backend: "coreml", device: "cpu", provider: "interpreter", version: "none", threads: 1 },
    accelerated: false,
    limits: COREML_LIMITS,
    lost: new Promise(() => {}),
    programs,
    digests,
    checkMemory() {},
    createTensor,
    store: (contents) => new ConstantBlock(contents instanceof Uint8Array ? contents : readRange(contents)),
    async compile(graph) {
      const lowered = lower(graph as Graph<ConstantBlock>, options);
      const files = await packageFiles(lowered.program);
      const program = programIn(files);
      assertEquals(lint(program), []);
      digests.push(packageDigest(files));
      programs.push(program);
      return executable(program, lowered);
    },
    abort() {},
    close() {},
  };
}

/** The program that is read back from a package. */
function programIn(files: PackageFiles): MilProgram {
  const { model, weights } = readPackage((path) => files.get(path)!);
  return readProgram(model, weights);
}

function createTensor(descriptor: Descriptor): InterpretedTensor {
  const bytes = new Uint8Array(byteLength(descriptor));
  return { bytes, write: (source) => bytes.set(source), read: () => bytes, release() {} };
}

function executable(program: MilProgram, { inputs, outputs, placeholder }: LoweredProgram): Executable {
  return {
    devices: ["cpu"],
    release() {},
    run(inputTensors, outputTensors) {
      const features = inputs.map((port, i): [string, Elements] => [
        port.feature.name,
        featureElements(port, (inputTensors[i] as InterpretedTensor).bytes),
      ]);
      if (placeholder) features.push([placeholder.name, new Float32Array(1)]);
      const results = runProgram(program, Object.fromEntries(features));
      outputs.forEach((port, i) => {
        const { data } = results[port.feature.name]!;
        storeElements(port, data, (outputTensors[i] as InterpretedTensor).bytes);
      });
    },
  };
}

function featureElements({ descriptor: { dataType, shape } }: Port, bytes: Uint8Array): Elements {
  if (!isNarrow(dataType)) return bytes.slice();
  const elements = new Int32Array(elementCount(shape));
  widen(dataType, bytes, elements);
  return elements;
}

function storeElements({ descriptor: { dataType } }: Port, data: Elements, target: Uint8Array): void {
  if (isNarrow(dataType)) return narrow(dataType, data as Int32Array, target);
  target.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
