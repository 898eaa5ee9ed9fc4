/** Replaces the navigator by the one that the argument names, imports the polyfill, and prints the result as JSON. */
const real = navigator;

class Navigator {
  readonly userAgent = "a browser in JavaScript";
}
class Browser {}

/** The replacements of the navigator. */
const NAVIGATORS: Record<string, () => unknown> = {
  plain: () => ({ userAgent: "a test runner" }),
  bare: () => Object.create(null),
  class: () => new Navigator(),
  "other class": () => new Browser(),
  list: () => [],
  derived: () => Object.create(real),
  proxy: () => new Proxy(real, {}),
  "proxy that reads": () => new Proxy(real, { get: (target, key) => Reflect.get(target, key) }),
  "proxy of a plain one": () => new Proxy({}, { get: (target, key) => Reflect.get(target, key) }),
  none: () => undefined,
  frozen: () => Object.freeze({}),
};

const name = Deno.args[0]!;
const value = NAVIGATORS[name]!();
Object.defineProperty(globalThis, "navigator", { value, writable: true, configurable: true });
const own = (object: object) => new Set(Reflect.ownKeys(object));
const shared = [Object, Array, Browser, Function].map(({ prototype }) => prototype as object);
const before = shared.map(own);
try {
  await import("@webnn/deno/polyfill");
  const { ml } = await import("@webnn/deno");
  const polluted = shared.some((prototype, i) => Reflect.ownKeys(prototype).some((key) => !before[i]!.has(key)));
  const context = await navigator.ml.createContext();
  // A later replacement does not remove `ml` from the old navigator.
  const kept = navigator;
  Object.defineProperty(globalThis, "navigator", { value: {}, writable: true, configurable: true });
  console.log(JSON.stringify({ same: kept.ml === ml, polluted, context: context instanceof MLContext }));
  context.destroy();
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
