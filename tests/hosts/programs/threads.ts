/** Lets the navigator say that there are so many processors, and prints how many threads a context has. */
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
