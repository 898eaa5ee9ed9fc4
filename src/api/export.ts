/**
 * What a builder was told, as files for other programs.
 *
 * @module
 */

import { type Exporter, mlpackageExporter, onnxExporter } from "../backends/formats.ts";
import { messageOf, notSupportedError } from "../errors.ts";
import { promised } from "../webidl/platform_object.ts";
import type { MLNamedOperands } from "./dictionaries.ts";
import { graphOf } from "./graph_builder.ts";

/**
 * Writes the graph that leads to named operands as an ONNX file: with operators of ai.onnx 20 only, or 21 where there
 * are integers of 4 bits or scales for blocks, with the names of
 * inputs and outputs, weights included. The builder can go on, and build its graph.
 *
 * @returns the bytes; rejects with a TypeError if `outputs` is not what `build()` takes or an input and an output have the
 * same name, InvalidStateError if the builder has built its graph or the context is lost, NotSupportedError if the graph
 * cannot be written, as one of 2 GiB or more
 *
 * @example
 * ```ts
 * import { exportOnnx, ml, MLGraphBuilder } from "@webnn/deno";
 * const builder = new MLGraphBuilder(await ml.createContext());
 * const x = builder.input("x", { dataType: "float32", shape: [2, 3] });
 * const bytes = await exportOnnx({ y: builder.softmax(x, 1) });
 * console.log(`softmax.onnx has ${bytes.byteLength} bytes`);
 * ```
 */
export function exportOnnx(outputs: MLNamedOperands): Promise<Uint8Array<ArrayBuffer>> {
  return exportAs("exportOnnx", outputs, onnxExporter());
}

/**
 * Writes the graph that leads to named operands as a package of Core ML (`.mlpackage`, a folder), which macOS 14 and iOS 17
 * run, and newer ones. Names of inputs and outputs stay as far as Core ML takes them: what is no letter, digit or `_` becomes
 * `_`. A scalar is of shape `[1]`, and integers of 8 bits are int32, as Core ML has it. The builder can go on, and build its
 * graph.
 *
 * @returns the files by their paths in the package; rejects as {@linkcode exportOnnx} does, with NotSupportedError also if
 * Core ML does not take the graph, as one with int64
 *
 * @example
 * ```ts ignore
 * for (const [path, bytes] of await exportMlpackage(outputs)) {
 *   await Deno.mkdir(`model.mlpackage/${path.replace(/[^/]*$/, "")}`, { recursive: true });
 *   await Deno.writeFile(`model.mlpackage/${path}`, bytes);
 * }
 * ```
 */
export function exportMlpackage(outputs: MLNamedOperands): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  return exportAs("exportMlpackage", outputs, mlpackageExporter());
}

function exportAs<Result>(where: string, outputs: unknown, loading: Promise<Exporter<Result>>): Promise<Result> {
  return promised(async () => {
    const exporter = await loading;
    const graph = graphOf(outputs, where);
    const outputNames = new Set(graph.outputs.map(({ name }) => name));
    const twice = graph.inputs.find(({ name }) => outputNames.has(name));
    if (twice) throw new TypeError(`${where}: ${JSON.stringify(twice.name)} names an input and an output; rename one`);
    try {
      return exporter(graph);
    } catch (error) {
      throw notSupportedError(`${where}: ${messageOf(error)}`, error);
    }
  });
}
