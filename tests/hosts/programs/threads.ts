/** Makes the navigator report the number of processors in the argument, and prints the threads of a context. */
import { contextInfo, createContext } from "@webnn/deno";

const VALUES: Record<string, unknown> = {
  NaN,
  Infinity,
  undefined,
  text: "8",
  negative: -2,
  half: 2.5,
  none: 0,
  huge: 1e9,
};
const [name] = Deno.args;
const hardwareConcurrency = name! in VALUES ? VALUES[name!] : Number(name);
Object.defineProperty(globalThis, "navigator", { value: { hardwareConcurrency }, configurable: true });
const context = await createContext();
console.log(contextInfo(context).threads);
context.destroy();
