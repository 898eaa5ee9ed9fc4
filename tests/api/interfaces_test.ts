/** Tests the interfaces as WebIDL objects: brands, constructors, conversions, and checks of buffers. */
import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  contextInfo,
  createContext,
  graphInfo,
  ML,
  ml,
  MLContext,
  MLGraph,
  MLGraphBuilder,
  MLOperand,
  type MLOperandDescriptor,
  MLTensor,
} from "@webnn/deno";

const FLOAT = { dataType: "float32", shape: [2] } as const;
const READABLE = { ...FLOAT, readable: true, writable: true };

Deno.test("interface objects have the properties that WebIDL defines", () => {
  for (
    const [constructor, length] of [[ML, 0], [MLContext, 0], [MLGraph, 0], [MLGraphBuilder, 1], [MLOperand, 0], [
      MLTensor,
      0,
    ]] as const
  ) {
    assertEquals(constructor.length, length, constructor.name);
    assertEquals(Object.prototype.toString.call(constructor.prototype), `[object ${constructor.name}]`);
    const make = constructor as unknown as new () => unknown;
    assertThrows(() => new make(), TypeError);
    for (const name of Object.getOwnPropertyNames(constructor.prototype)) {
      const isEnumerable = Object.getOwnPropertyDescriptor(constructor.prototype, name)!.enumerable;
      assertEquals(isEnumerable, name !== "constructor", `${constructor.name}.${name}`);
    }
  }
  assertEquals(MLGraphBuilder.prototype.conv2d.length, 2);
  assertEquals(MLGraphBuilder.prototype.lstmCell.length, 6);
  assertEquals(MLContext.prototype.dispatch.length, 3);
  assertEquals(MLContext.prototype.readTensor.length, 1);
});

Deno.test("on the wrong object, methods that return promises reject, and others throw", async () => {
  const foreign = Object.create(MLContext.prototype) as MLContext;
  for (const name of ["createTensor", "createConstantTensor", "readTensor"] as const) {
    await assertRejects(() => Reflect.apply(foreign[name], foreign, []) as Promise<unknown>, TypeError);
  }
  await assertRejects(() => foreign.lost, TypeError);
  await assertRejects(() => ML.prototype.createContext.call({} as ML), TypeError);
  assertThrows(() => foreign.dispatch(null!, {}, {}), TypeError);
  assertThrows(() => foreign.accelerated, TypeError);
  assertThrows(() => Object.create(MLTensor.prototype).shape, TypeError);
  // A proxy of a context does not have its internal slots.
  assertThrows(() => new Proxy(foreign, {}).opSupportLimits(), TypeError);
});

Deno.test("createContext validates the standard's options, deviceType and our own", async () => {
  const wrong = [{ powerPreference: "max" }, { deviceType: "xpu" }, 1, "cpu", {
    get accelerated() {
      throw new RangeError("mine");
    },
  }] as unknown[];
  for (const options of wrong.slice(0, 4)) await assertRejects(() => ml.createContext(options as never), TypeError);
  await assertRejects(() => ml.createContext(wrong[4] as never), RangeError, "mine");
  for (const deviceType of ["cpu", "gpu", "npu"] as const) {
    using context = await ml.createContext({ deviceType });
    assertEquals(context.accelerated, false); // deviceType is a hint, and there is no accelerator here.
  }
  for (
    const own of [{ threads: 0 }, { threads: 1.5e9 }, { backend: "tensorflow" }, { device: "tpu" }, {
      library: new URL("http://x/y"),
    }]
  ) {
    await assertRejects(() => createContext(own as never), TypeError);
  }
  await assertRejects(() => createContext({ device: "npu" }), DOMException, "npu");
  const missing = await assertRejects(
    () => createContext({ library: "/no/such/library" }),
    DOMException,
    "/no/such/library",
  );
  assertEquals(missing.name, "NotSupportedError");
  using context = await createContext({ threads: 1, backend: "onnxruntime", device: "cpu" });
  const { backend, device, threads, version } = contextInfo(context);
  assertEquals({ backend, device, threads }, { backend: "onnxruntime", device: "cpu", threads: 1 });
  assert(/^\d+\.\d+/.test(version));
});

Deno.test("dictionaries are converted before any state is checked: inherited members first, each in order of names", async () => {
  using context = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  const input = builder.input("x", { dataType: "float32", shape: [1, 1, 4, 4] });
  const filter = builder.input("f", { dataType: "float32", shape: [1, 1, 2, 2] });
  await builder.build({ y: builder.relu(input) });
  const order: string[] = [];
  const options = new Proxy({}, { get: (_, key) => void order.push(String(key)) });
  const error = assertThrows(() => builder.conv2d(input, filter, options), DOMException);
  assertEquals(error.name, "InvalidStateError");
  assertEquals(error.message, "MLGraphBuilder.conv2d: the builder has already built its graph");
  assertEquals(order, ["label", "bias", "dilations", "filterLayout", "groups", "inputLayout", "padding", "strides"]);
});

Deno.test("unknown members are ignored; errors name invalid ones", async () => {
  using context = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", { ...FLOAT, unknown: 1 } as MLOperandDescriptor);
  assertThrows(() => builder.softmax(x, -1), TypeError, "MLGraphBuilder.softmax: axis");
  assertThrows(() => builder.softmax(x, 1, { label: "top" }), TypeError, "MLGraphBuilder.softmax: [top] axis");
  assertThrows(() => builder.clamp(x, { minValue: 2, maxValue: 1, label: "six" }), TypeError, "[six]");
  assertThrows(() => (builder.cumulativeSum as (input: MLOperand) => MLOperand)(x), TypeError);
});

Deno.test("attributes return the same frozen array each time", async () => {
  using context = await ml.createContext();
  const operand = new MLGraphBuilder(context).input("x", FLOAT);
  assertStrictEquals(operand.shape, operand.shape);
  assert(Object.isFrozen(operand.shape));
  assertStrictEquals(context.lost, context.lost);
});

Deno.test("buffers must have the exact length and not be resizable; views for constants must match the data type", async () => {
  using context = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  builder.constant(FLOAT, new Uint8Array(8));
  builder.constant({ dataType: "float16", shape: [2] }, new Uint16Array(2));
  builder.constant({ dataType: "float16", shape: [2] }, new Float16Array(2));
  assertThrows(() => builder.constant(FLOAT, new Int32Array(2)), TypeError, "Float32Array");
  assertThrows(() => builder.constant(FLOAT, new DataView(new ArrayBuffer(8))), TypeError, "DataView");
  assertThrows(() => builder.constant(FLOAT, new Float32Array(3)), TypeError, "12 bytes");
  assertThrows(() => builder.constant(FLOAT, [1, 2] as never), TypeError);
  const tensor = await context.createTensor(READABLE);
  context.writeTensor(tensor, new Int32Array(2));
  assertThrows(() => context.writeTensor(tensor, new Float32Array(1)), TypeError, "4 bytes");
  const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
  assertThrows(() => context.writeTensor(tensor, resizable), TypeError, "resizable");
  assertThrows(() => context.writeTensor(tensor, new Uint8Array(resizable)), TypeError, "resizable");
  const detached = new ArrayBuffer(8);
  detached.transfer();
  assertThrows(() => context.writeTensor(tensor, detached), TypeError, "0 bytes");
  // An own property cannot fake another length.
  const liar = Object.defineProperty(new Uint8Array(4), "byteLength", { value: 8 });
  assertThrows(() => context.writeTensor(tensor, liar), TypeError, "4 bytes");
});

Deno.test("a read does not write to a buffer that is transferred meanwhile", async () => {
  using context = await ml.createContext();
  const tensor = await context.createTensor(READABLE);
  context.writeTensor(tensor, Float32Array.of(1, 2));
  const target = new Float32Array(2);
  const reading = context.readTensor(tensor, target);
  const moved = new Float32Array(target.buffer.transfer());
  await assertRejects(() => reading, TypeError, "outputData");
  assertEquals([...moved], [0, 0]);
  assertEquals([...new Float32Array(await context.readTensor(tensor))], [1, 2]);
});

Deno.test("dispatch rejects tensors that do not match the graph", async () => {
  using context = await ml.createContext();
  using other = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  const graph = await builder.build({ y: builder.relu(builder.input("x", FLOAT)) });
  const [x, y] = [await context.createTensor(READABLE), await context.createTensor(READABLE)];
  const foreign = await other.createTensor(READABLE);
  const int = await context.createTensor({ dataType: "int32", shape: [2] });
  const long = await context.createTensor({ dataType: "float32", shape: [3] });
  const constant = await context.createConstantTensor(FLOAT, new Float32Array(2));
  const invalid: [Record<string, MLTensor>, Record<string, MLTensor>, string][] = [
    [{}, { y }, 'inputs["x"] is missing'],
    [{ x, z: x }, { y }, 'inputs["z"]: the graph has only "x"'],
    [{ z: x }, { y }, "missing"],
    [{ x }, { y: x }, 'the tensor for the output "y" is also an input'],
    [{ x: foreign }, { y }, "another context"],
    [{ x: int }, { y }, "float32"],
    [{ x: long }, { y }, "[2]"],
    [{ x: constant }, { y }, "constant"],
  ];
  for (const [inputs, outputs, reason] of invalid) {
    assertThrows(() => context.dispatch(graph, inputs, outputs), TypeError, reason);
  }
  assertThrows(() => other.dispatch(graph, { x: foreign }, { y: foreign }), TypeError, "another context");
  context.dispatch(graph, { x }, { y });
  await context.readTensor(y);
});

Deno.test("build rejects operands that cannot be outputs; a builder can be used until a build succeeds", async () => {
  using context = await ml.createContext();
  const builder = new MLGraphBuilder(context);
  const x = builder.input("x", FLOAT);
  const foreign = new MLGraphBuilder(context);
  const y = builder.relu(x);
  await assertRejects(() => builder.build({}), TypeError, "empty");
  await assertRejects(() => builder.build({ "": y }), TypeError, "empty name");
  await assertRejects(() => builder.build({ x }), TypeError, "input");
  await assertRejects(() => builder.build({ c: builder.constant("float32", 1) }), TypeError, "constant");
  await assertRejects(() => foreign.build({ y }), TypeError, "another builder");
  assertThrows(() => foreign.relu(x), TypeError, "another builder");
  const first = builder.build({ y });
  const second = assertRejects(() => builder.build({ y }), DOMException);
  assertEquals((await second).name, "InvalidStateError");
  assertEquals(graphInfo(await first).devices, ["cpu"]);
  assertThrows(() => builder.relu(x), DOMException);
});
