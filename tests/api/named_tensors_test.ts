/** The records of tensors that dispatch takes, converted as WebIDL says: what a script can observe of it. */
import { assertEquals, assertThrows } from "@std/assert";
import { MLGraphBuilder, type MLNamedTensors } from "@webnn/deno";
import { createMLContext } from "../../src/api/ml_context.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const FLOAT = { dataType: "float32", shape: [1] } as const;

async function setting() {
  const context = createMLContext(openSimulatedDevice(7));
  const builder = new MLGraphBuilder(context);
  const graph = await builder.build({ c: builder.add(builder.input("a", FLOAT), builder.input("b", FLOAT)) });
  const [a, b, c] = [
    await context.createTensor(FLOAT),
    await context.createTensor(FLOAT),
    await context.createTensor(FLOAT),
  ];
  return {
    context,
    a,
    b,
    c,
    dispatch: (inputs: object, outputs: object = { c }) =>
      context.dispatch(graph, inputs as MLNamedTensors, outputs as MLNamedTensors),
  };
}

Deno.test("properties are read one after the other: first whether one is enumerable, then its value", async () => {
  const { context, a, b, dispatch } = await setting();
  const log: string[] = [];
  const target = Object.defineProperty({ b, a }, "hidden", { value: 1, enumerable: false });
  const spy = new Proxy(target, {
    ownKeys: (target) => (log.push("keys"), Reflect.ownKeys(target)),
    getOwnPropertyDescriptor: (
      target,
      key,
    ) => (log.push(`is ${String(key)}`), Reflect.getOwnPropertyDescriptor(target, key)),
    get: (target, key, receiver) => (log.push(`get ${String(key)}`), Reflect.get(target, key, receiver)),
  });
  dispatch(spy);
  assertEquals(log, ["keys", "is b", "get b", "is a", "get a", "is hidden"]);
  await context[Symbol.asyncDispose]();
});

Deno.test("a getter that removes the next property is seen", async () => {
  const { context, a, b, dispatch } = await setting();
  const inputs: Record<string, unknown> = {
    get a() {
      delete inputs.b;
      return a;
    },
    b,
  };
  assertThrows(() => dispatch(inputs), TypeError, 'MLContext.dispatch: inputs["b"] is missing');
  await context[Symbol.asyncDispose]();
});

Deno.test("inherited properties do not count, enumerable symbols are refused, and a message names the key", async () => {
  const { context, a, b, dispatch } = await setting();
  dispatch(Object.assign(Object.create({ other: 1 }), { a, b }));
  assertThrows(() => dispatch({ a, b, [Symbol("s")]: a }), TypeError);
  assertThrows(() => dispatch({ a, b: 1 }), TypeError, 'MLContext.dispatch: inputs["b"] is not an MLTensor.');
  assertThrows(() => dispatch({ a, "\ud800": b }), TypeError, 'inputs["b"] is missing');
  assertThrows(() => dispatch({}), TypeError, 'inputs["a"] is missing');
  assertThrows(() => dispatch({ a, b, c: a }), TypeError, 'inputs["c"]: the graph has only "a", "b"');
  await context[Symbol.asyncDispose]();
});
