/**
 * The throughput of the builder, without `build()`.
 *
 * @module
 */
import "@webnn/deno/polyfill";

/** A chain of `operators` element-wise operators, with some branches. */
export function buildChain(builder: MLGraphBuilder, operators: number): MLOperand {
  const input = builder.input("x", { dataType: "float32", shape: [8] });
  let x = input;
  for (let i = 0; i < operators; i++) x = i % 4 === 3 ? builder.add(x, input) : builder.tanh(x);
  return x;
}

/** Measures operators per second for graphs of each size, in turn. Returns one list of `rounds` values per size. */
export async function measureBuilder(sizes: readonly number[], rounds: number): Promise<number[][]> {
  const context = await navigator.ml.createContext();
  const rates: number[][] = sizes.map(() => []);
  for (let round = -3; round < rounds; round++) {
    for (const [i, size] of sizes.entries()) {
      const began = performance.now();
      buildChain(new MLGraphBuilder(context), size);
      if (round >= 0) rates[i]!.push(1000 * size / (performance.now() - began));
    }
  }
  context.destroy();
  return rates;
}
