/** A built graph, with the shapes of its float32 inputs and outputs. */
export interface Network {
  graph: MLGraph;
  inputs: Record<string, readonly number[]>;
  outputs: Record<string, readonly number[]>;
}

/** A network with its tensors, ready to run repeatedly. */
export interface Inference {
  /** Writes the inputs, runs the network, and reads all outputs. */
  run(inputs: Record<string, Float32Array>): Promise<Record<string, Float32Array>>;
}

/** Creates the tensors for a network. Destroying the context frees them. Uses only the standard. */
export async function createInference(context: MLContext, { graph, inputs, outputs }: Network): Promise<Inference> {
  const inputTensors = await createTensors(context, inputs, { writable: true });
  const outputTensors = await createTensors(context, outputs, { readable: true });
  return {
    async run(values) {
      for (const [name, tensor] of Object.entries(inputTensors)) context.writeTensor(tensor, values[name]!);
      context.dispatch(graph, inputTensors, outputTensors);
      const results = Object.entries(outputTensors).map(async ([name, tensor]) =>
        [name, new Float32Array(await context.readTensor(tensor))] as const
      );
      return Object.fromEntries(await Promise.all(results));
    },
  };
}

async function createTensors(
  context: MLContext,
  shapes: Record<string, readonly number[]>,
  usage: { readable?: boolean; writable?: boolean },
): Promise<Record<string, MLTensor>> {
  const tensors = Object.entries(shapes).map(async ([name, shape]) =>
    [name, await context.createTensor({ dataType: "float32", shape: [...shape], ...usage })] as const
  );
  return Object.fromEntries(await Promise.all(tensors));
}
