/** Models and inputs for the tests of the command line, in temporary folders. */
import { join } from "node:path";
import { onnxFile } from "../support/onnx_writer.ts";

/** A folder with files, removed at the end of a `using` block. */
export interface Folder extends Disposable {
  readonly path: string;
  /** Writes a file and returns its path. */
  write(name: string, content: string | Uint8Array): string;
  /** The names of all files and folders in it. */
  names(): string[];
}

/** Creates a temporary folder. */
export function temporaryFolder(): Folder {
  const path = Deno.makeTempDirSync();
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      if (typeof content === "string") Deno.writeTextFileSync(file, content);
      else Deno.writeFileSync(file, content);
      return file;
    },
    names: () => Array.from(Deno.readDirSync(path), ({ name }) => name).sort(),
    [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }),
  };
}

/** y = x · [[1, 2], [3, 4]] + [10, 20], with any number of rows. */
export const LINEAR: Uint8Array = onnxFile({
  nodes: [
    { op: "MatMul", inputs: ["x", "w"], outputs: ["p"] },
    { op: "Add", inputs: ["p", "b"], outputs: ["y"] },
  ],
  inputs: [{ name: "x", shape: ["rows", 2] }],
  outputs: [{ name: "y", shape: ["rows", 2] }],
  initializers: [
    { name: "w", type: "float32", shape: [2, 2], data: [1, 2, 3, 4] },
    { name: "b", type: "float32", shape: [2], data: [10, 20] },
  ],
});

/** A model whose second input is the shape of a reshape. */
export const RESHAPE: Uint8Array = onnxFile({
  nodes: [{ op: "Reshape", inputs: ["x", "to"], outputs: ["y"] }],
  inputs: [{ name: "x", shape: [6] }, { name: "to", type: "int64", shape: [2] }],
  outputs: [{ name: "y", shape: [null, null] }],
});

/** The same, negated: a graph that the engine computes. */
export const NEGATED_RESHAPE: Uint8Array = onnxFile({
  nodes: [{ op: "Reshape", inputs: ["x", "to"], outputs: ["r"] }, { op: "Neg", inputs: ["r"], outputs: ["y"] }],
  inputs: [{ name: "x", shape: [6] }, { name: "to", type: "int64", shape: [2] }],
  outputs: [{ name: "y", shape: [null, null] }],
});

/** A model that returns its input, of some type and shape. */
export function identityModel(
  type: "float32" | "float16" | "int64" | "uint8" | "bool",
  shape: readonly (number | string | null)[],
): Uint8Array {
  return onnxFile({
    nodes: [{ op: "Identity", inputs: ["in/put:0"], outputs: ["out/put:0"] }],
    inputs: [{ name: "in/put:0", type, shape }],
    outputs: [{ name: "out/put:0", type, shape }],
  });
}

/** The same function as {@linkcode LINEAR} for one row, as a module. */
export const MODULE = `export default function (builder) {
  const constant = (shape, data) => builder.constant({ dataType: "float32", shape }, new Float32Array(data));
  const x = builder.input("x", { dataType: "float32", shape: [1, 2] });
  return { y: builder.add(builder.matmul(x, constant([2, 2], [1, 2, 3, 4])), constant([2], [10, 20])) };
}`;
