/**
 * writeTensor and readTensor by size. Each is one copy.
 *
 * @module
 */
import "@webnn/deno/polyfill";
import { assertSameElements } from "./support/check.ts";
import { randomArray } from "./support/random_array.ts";

const context = await navigator.ml.createContext();
for (const bytes of [4, 4 * 2 ** 10, 4 * 2 ** 16, 4 * 2 ** 20, 4 * 2 ** 24]) {
  const values = randomArray(bytes / 4, 1);
  const out = new Float32Array(values.length);
  const tensor = await context.createTensor({
    dataType: "float32",
    shape: [values.length],
    readable: true,
    writable: true,
  });
  context.writeTensor(tensor, values);
  await context.readTensor(tensor, out);
  assertSameElements(out, values);
  const group = `${bytes} bytes`;
  Deno.bench("writeTensor", { group }, () => context.writeTensor(tensor, values));
  // Deno.bench awaits only functions that are declared async.
  Deno.bench("readTensor(tensor, out)", { group }, async () => void await context.readTensor(tensor, out));
  Deno.bench("readTensor(tensor)", { group }, async () => void await context.readTensor(tensor));
}
