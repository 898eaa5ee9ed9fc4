/**
 * Installs `ml` on a navigator: Deno's own, or one that jsdom, happy-dom or a test runner has put in its place.
 *
 * @module
 */

/**
 * Installs an attribute on the prototype of the navigator's interface, as WebIDL asks. If the navigator is a plain
 * object, it gets the attribute itself, so that no other object inherits it.
 *
 * @param navigator the current navigator, or a proxy of one
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

/**
 * The prototype of the navigator's interface: Navigator, or WorkerNavigator in a worker. `undefined` for a plain
 * object.
 */
function interfacePrototype(navigator: object): object | undefined {
  const prototype: object | null = Object.getPrototypeOf(navigator);
  if (prototype === null || !Object.hasOwn(prototype, "constructor")) return undefined;
  const { constructor } = prototype;
  const isInterface = typeof constructor === "function" && constructor.prototype === prototype &&
    /Navigator$/.test(constructor.name);
  return isInterface ? prototype : undefined;
}
