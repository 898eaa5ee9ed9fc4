/**
 * Exports a graph as a Core ML package.
 *
 * @module
 */

import type { Graph } from "../../graph/graph.ts";
import { whyUnsupported } from "../../graph/limits.ts";
import type { Block } from "../backend.ts";
import { encodeProgram } from "./encoder.ts";
import { COREML_LIMITS } from "./limits.ts";
import { lower, type LoweredProgram } from "./lower.ts";
import type { MilProgram, MilValue } from "./mil.ts";
import { packageFiles } from "./package.ts";

/** The options for macOS 14 and newer. */
const OPTIONS = { specificationVersion: 8, float16: false } as const;

/**
 * Encodes a graph as the files of a package, by their paths in it.
 * @throws if Core ML does not support the graph
 */
export function exportMlpackage(graph: Graph<Block>): Map<string, Uint8Array<ArrayBuffer>> {
  const problem = whyUnsupported(graph, COREML_LIMITS);
  if (problem !== undefined) throw new TypeError(`Core ML does not support the graph: ${problem}`);
  const program = encodeProgram(named(lower(graph, OPTIONS), graph));
  return new Map([...packageFiles(program)].map(([path, parts]) => [path, concatenate([...parts])]));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/**
 * The program with the user's names for inputs and outputs, without the characters that Core ML does not allow. Other
 * values with these names are renamed.
 */
function named(lowered: LoweredProgram, { inputs, outputs }: Graph<unknown>): MilProgram {
  const taken = new Set<string>();
  const free = (name: string): string => {
    let unique = name;
    for (let i = 2; taken.has(unique); i++) unique = `${name}_${i}`;
    taken.add(unique);
    return unique;
  };
  const names = new Map([
    ...lowered.inputs.map(({ feature }, i) => [feature.name, free(featureName(inputs[i]!.name))] as const),
    ...lowered.outputs.map(({ feature }, i) => [feature.name, free(featureName(outputs[i]!.name))] as const),
  ]);
  const renamed = new Map<MilValue, MilValue>();
  const rename = <T extends MilValue>(value: T): T =>
    renamed.getOrInsertComputed(value, () => {
      const name = names.getOrInsertComputed(value.name, () => free(value.name));
      return name === value.name ? value : { ...value, name };
    }) as T;
  return renameValues(lowered.program, rename);
}

function renameValues(program: MilProgram, rename: <T extends MilValue>(value: T) => T): MilProgram {
  const isOne = (value: MilValue | readonly MilValue[]): value is MilValue => !Array.isArray(value);
  return {
    ...program,
    inputs: program.inputs.map(rename),
    constants: program.constants.map(rename),
    outputs: program.outputs.map(rename),
    operations: program.operations.map((operation) => ({
      ...operation,
      inputs: Object.fromEntries(
        Object.entries(operation.inputs).map(([key, value]) => [key, isOne(value) ? rename(value) : value.map(rename)]),
      ),
      outputs: operation.outputs.map(rename),
    })),
  };
}

/** A feature's name: letters, digits and `_`, not beginning with a digit. */
function featureName(name: string): string {
  const letters = name.replace(/[^A-Za-z0-9_]/g, "_");
  return /^[0-9]/.test(letters) ? `_${letters}` : letters;
}
