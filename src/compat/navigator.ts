/**
 * The place of `ml` on a navigator: Deno's own, or one that jsdom, happy-dom or a test runner put in its place.
 *
 * @module
 */

/**
 * Installs an attribute on the navigator as WebIDL has it: on the prototype of its interface. A navigator that is no
 * object of an interface gets the attribute itself, so that no other object inherits it.
 *
 * @param navigator the navigator of the moment; a proxy of one will do
 * @throws {TypeError} if the navigator cannot be changed
 */
export function installOnNavigator(navigator: object, name: string, value: unknown): void {
  const prototype = interfacePrototype(navigator);
  const isNavigator = (object: unknown) =>
    prototype === undefined || object === navigator || Object.prototype.isPrototypeOf.call(prototype, Object(object));
  const { get } = Object.getOwnPropertyDescriptor(
    {
      get [name](): unknown {
        if (!isNavigator(this)) throw new TypeError("Illegal invocation: not a Navigator");
        return value;
      },
    },
    name,
  )!;
  const attribute = { get: get!, configurable: true, enumerable: true };
  if (Reflect.defineProperty(prototype ?? navigator, name, attribute)) return;
  throw new TypeError(
    `navigator.${name} cannot be installed: the navigator is frozen; import the polyfill before that, or use \`ml\` of the module`,
  );
}

/** The prototype of the interface that the navigator is an object of: Navigator, or WorkerNavigator in a worker. */
function interfacePrototype(navigator: object): object | undefined {
  const prototype: object | null = Object.getPrototypeOf(navigator);
  if (prototype === null || !Object.hasOwn(prototype, "constructor")) return undefined;
  const { constructor } = prototype;
  const isInterface = typeof constructor === "function" && constructor.prototype === prototype &&
    /Navigator$/.test(constructor.name);
  return isInterface ? prototype : undefined;
}
