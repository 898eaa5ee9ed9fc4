/** Replaces the navigator as the argument says, imports the polyfill, and prints what came of it as JSON. */
const real = navigator;

class Navigator {
  readonly userAgent = "a browser in JavaScript";
}
class Browser {}

/** What stands in the place of the navigator before the polyfill is imported. */
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
  // Later replacements do not take `ml` from the one that has it.
  const kept = navigator;
  Object.defineProperty(globalThis, "navigator", { value: {}, writable: true, configurable: true });
  console.log(JSON.stringify({ same: kept.ml === ml, polluted, context: context instanceof MLContext }));
  context.destroy();
} catch (error) {
  console.log(JSON.stringify({ error: String(error) }));
}
