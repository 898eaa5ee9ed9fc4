/**
 * Throws during `createContext()` or during the first build of the process. The first argument is which one, the second
 * is the delay in milliseconds.
 */
import { createContext, MLGraphBuilder } from "@webnn/deno";

/** Enough operators, of several kinds, for a build of a few tens of milliseconds. */
const LAYERS = 300;
const VECTOR = { dataType: "float32", shape: [1, 64] } as const;
const MATRIX = { dataType: "float32", shape: [64, 64] } as const;

async function build(): Promise<void> {
  const builder = new MLGraphBuilder(await createContext());
  let x = builder.input("x", VECTOR);
  for (let i = 0; i < LAYERS; i++) {
    const factor = builder.constant(MATRIX, new Float32Array(64 * 64).fill(i));
    x = builder.softmax(builder.add(builder.matmul(x, factor), x), 1);
  }
  throwLater();
  await builder.build({ y: x });
}

function throwLater(): void {
  setTimeout(() => {
    throw new Error("thrown during the call");
  }, Number(Deno.args[1]));
}

if (Deno.args[0] === "build") {
  await build();
} else {
  throwLater();
  await createContext();
}
