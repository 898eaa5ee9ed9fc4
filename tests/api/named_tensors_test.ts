/** Tests that the records of tensors for dispatch are converted as WebIDL requires, as far as scripts can observe it. */
import { assertEquals, assertThrows } from "@std/assert";
import { MLGraphBuilder, type MLNamedTensors } from "@webnn/deno";
import { createMLContext } from "../../src/api/ml_context.ts";
import { openSimulatedDevice } from "../support/simulated_device.ts";

const FLOAT = { dataType: "float32", shape: [1] } as const;

async function createSetting() {
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

Deno.test("for each property in order, the conversion reads whether it is enumerable, then its value", async () => {
  const { context, a, b, dispatch } = await createSetting();
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

Deno.test("a property that an earlier getter deletes is missing", async () => {
  const { context, a, b, dispatch } = await createSetting();
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

Deno.test("inherited properties are ignored, enumerable symbols are rejected, and messages name the key", async () => {
  const { context, a, b, dispatch } = await createSetting();
  dispatch(Object.assign(Object.create({ other: 1 }), { a, b }));
  assertThrows(() => dispatch({ a, b, [Symbol("s")]: a }), TypeError);
  assertThrows(() => dispatch({ a, b: 1 }), TypeError, 'MLContext.dispatch: inputs["b"] is not an MLTensor.');
  assertThrows(() => dispatch({ a, "\ud800": b }), TypeError, 'inputs["b"] is missing');
  assertThrows(() => dispatch({}), TypeError, 'inputs["a"] is missing');
  assertThrows(() => dispatch({ a, b, c: a }), TypeError, 'inputs["c"]: the graph has only "a", "b"');
  await context[Symbol.asyncDispose]();
});
