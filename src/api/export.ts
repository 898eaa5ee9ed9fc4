/**
 * Exports graphs to files for other programs.
 *
 * @module
 */

import { type Exporter, mlpackageExporter, onnxExporter } from "../backends/formats.ts";
import { messageOf, notSupportedError } from "../errors.ts";
import { promised } from "../webidl/platform_object.ts";
import type { MLNamedOperands } from "./dictionaries.ts";
import { graphOf } from "./graph_builder.ts";

/**
 * Exports the graph that computes `outputs` as an ONNX file, including weights and the names of inputs and outputs. It
 * uses only operators of ai.onnx 20, or 21 if there are 4-bit integers or block scales. The builder stays usable.
 *
 * @param outputs as for `MLGraphBuilder.build()`
 * @returns a promise of the bytes, which rejects with the errors below
 * @throws {TypeError} if `build()` would reject `outputs`, or an input and an output have the same name
 * @throws {DOMException} InvalidStateError if the builder has built its graph, or the context is lost;
 * NotSupportedError if the graph cannot be exported, for example because it has 2 GiB or more
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
 * Exports the graph that computes `outputs` as a Core ML package (`.mlpackage`, a folder) for macOS 14, iOS 17 and
 * newer. In the names of inputs and outputs, characters other than letters, digits and `_` become `_`. As Core ML
 * requires, a scalar has the shape `[1]`, and 8-bit integers are int32. The builder stays usable.
 *
 * @param outputs as for `MLGraphBuilder.build()`
 * @returns a promise of the files by their paths in the package, which rejects with the errors below
 * @throws {TypeError} as {@linkcode exportOnnx}
 * @throws {DOMException} as {@linkcode exportOnnx}; NotSupportedError also if Core ML does not support the graph, for
 * example because it has int64
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
