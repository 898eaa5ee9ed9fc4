/**
 * A device that differs from ONNX Runtime's CPU as much as the interface allows: every operation is asynchronous,
 * tensors are opaque handles, and there are only two data types and four operators. It computes with the reference.
 *
 * @module
 */

import { ErrorCode } from "../../ffi/onnxruntime/enums.ts";
import { OrtError } from "../../ffi/onnxruntime/table.ts";
import type { Block, Device, DeviceTensor, Executable } from "../../src/backends/backend.ts";
import type { Graph, Node, Value } from "../../src/graph/graph.ts";
import type { DeviceLimits } from "../../src/graph/limits.ts";
import type { MLOperandDataType } from "../../src/data_type.ts";
import { byteLength, type Descriptor, elementCount } from "../../src/shape.ts";
import { decode, encode, evaluate, type RefTensor, tensor as refTensor } from "../reference/mod.ts";
import { random } from "../../support/random.ts";

const OPERATORS = ["add", "mul", "relu", "matmul"];
const DATA_TYPES: readonly MLOperandDataType[] = ["float32", "int32"];

function limitsOf(operators: readonly string[]): DeviceLimits {
  return {
    maxTensorByteLength: 1 << 20,
    maxRank: 5,
    preferredInputLayout: "nhwc",
    dataTypes: DATA_TYPES,
    supports: (operator, _operand, dataType) => operators.includes(operator) && DATA_TYPES.includes(dataType),
  };
}

/** The operations that can fail on demand. */
export type Operation = "checkMemory" | "createTensor" | "store" | "compile" | "run" | "read" | "write";

/** A device with additional members for tests. */
export interface SimulatedDevice extends Device {
  store(bytes: Uint8Array): SimulatedBlock;
  /** The live tensors, blocks and executables. */
  readonly live: ReadonlySet<object>;
  /** The operations, in the order in which they started. */
  readonly log: readonly string[];
  /** The arguments of all writes. */
  readonly written: readonly Uint8Array<ArrayBuffer>[];
  /** Makes the next operation of this kind fail. */
  fail(operation: Operation, message: string): void;
  /** Loses the device. */
  lose(reason: string): void;
}

/** Opens a device with seeded delays. */
export function openSimulatedDevice(seed = 1, name = "simulator", operators = OPERATORS): SimulatedDevice {
  const delays = random(seed);
  const live = new Set<object>();
  const log: string[] = [];
  const written: Uint8Array<ArrayBuffer>[] = [];
  const failures = new Map<Operation, string>();
  const loss = Promise.withResolvers<string>();

  const begin = (operation: Operation) => {
    log.push(operation);
    const message = failures.get(operation);
    failures.delete(operation);
    if (message !== undefined) throw new OrtError(ErrorCode.FAIL, message);
  };
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, delays.integer(0, 2)));
  const own = <T extends object>(create: (release: () => void) => T): T => {
    const object: T = create(() => {
      if (!live.delete(object)) throw new Error("released twice");
    });
    live.add(object);
    return object;
  };
  const use = (...objects: object[]) => {
    if (objects.some((object) => !live.has(object))) throw new Error("used after it was released");
  };

  function createTensor(descriptor: Descriptor): SimulatedTensor {
    let bytes = new Uint8Array(byteLength(descriptor));
    const tensor: SimulatedTensor = own((release) => ({
      descriptor,
      release,
      async write(source) {
        use(tensor);
        begin("write");
        written.push(source as Uint8Array<ArrayBuffer>);
        const copy = source.slice();
        await pause();
        bytes = copy;
      },
      async read() {
        use(tensor);
        begin("read");
        await pause();
        return bytes.slice();
      },
      load: () => toReference(descriptor, bytes),
      store: (result) => bytes = new Uint8Array(encode(result.dataType, result.data).buffer),
    }));
    return tensor;
  }

  function store(source: Uint8Array): SimulatedBlock {
    begin("store");
    const bytes = source.slice();
    return own((release) => ({ bytes, release }));
  }

  async function compile(graph: Graph<Block>): Promise<Executable> {
    begin("compile");
    const constants = new Map<Value, RefTensor>();
    for (const { value, block, shared } of graph.constants) {
      use(block);
      constants.set(value, toReference(value, (block as SimulatedBlock).bytes));
      if (!shared) block.release();
    }
    await pause();
    const executable: Executable = own((release) => ({
      release,
      devices: [name],
      async run(inputs, outputs) {
        use(executable, ...inputs, ...outputs);
        begin("run");
        const values = new Map(constants);
        inputs.forEach((input, i) => values.set(graph.inputs[i]!.value, (input as SimulatedTensor).load()));
        for (const node of graph.nodes) evaluateNode(node, values);
        await pause();
        use(executable, ...inputs, ...outputs);
        outputs.forEach((output, i) => (output as SimulatedTensor).store(values.get(graph.outputs[i]!.value)!));
      },
    }));
    return executable;
  }

  return {
    info: { backend: name, device: "cpu", provider: name, version: "1.0", threads: 1 },
    accelerated: true,
    limits: limitsOf(operators),
    lost: loss.promise,
    checkMemory: () => begin("checkMemory"),
    async createTensor(descriptor) {
      begin("createTensor");
      await pause();
      return createTensor(descriptor);
    },
    store,
    compile,
    abort: () => log.push("abort"),
    close: () => log.push("close"),
    live,
    log,
    written,
    fail: (operation, message) => failures.set(operation, message),
    lose: loss.resolve,
  };
}

interface SimulatedTensor extends DeviceTensor {
  readonly descriptor: Descriptor;
  load(): RefTensor;
  store(result: RefTensor): void;
}

/** A block whose bytes can be read. */
export interface SimulatedBlock extends Block {
  readonly bytes: Uint8Array;
}

function toReference({ dataType, shape }: Descriptor, bytes: Uint8Array): RefTensor {
  return refTensor(dataType, shape, decode(dataType, elementCount(shape), bytes.slice().buffer as ArrayBuffer));
}

function evaluateNode(node: Node, values: Map<Value, RefTensor>): void {
  const operands = Object.fromEntries(
    Object.entries(node.operands).map(([name, operand]) => [name, operand && values.get(operand as Value)!]),
  );
  const outputs = evaluate(node.operator, operands, node.attributes as Record<string, unknown>);
  node.outputs.forEach((output, i) => values.set(output, outputs[i]!));
}
