/**
 * The part of the contestant chromium.ts that runs in the page. It builds the graph file (report/graph_file.ts) with
 * navigator.ml. The timed functions return milliseconds.
 */
/* global navigator, MLGraphBuilder */
// deno-lint-ignore-file no-unused-vars -- chromium.ts calls the functions by their names

let context, file, weights, graph, inputs, outputs, output, buffer;

async function prepareGraph(deviceType) {
  if (!navigator.ml) throw new Error("this Chromium has no navigator.ml");
  context = await navigator.ml.createContext({ deviceType });
  file = await (await fetch("/graph.json")).json();
  weights = await (await fetch("/weights.bin")).arrayBuffer();
}

async function build() {
  const began = performance.now();
  const builder = new MLGraphBuilder(context);
  const values = new Map();
  for (const { id, name, dataType, shape } of file.inputs) values.set(id, builder.input(name, { dataType, shape }));
  for (const { id, dataType, shape, offset, byteLength } of file.constants) {
    values.set(id, builder.constant({ dataType, shape }, new Uint8Array(weights, offset, byteLength)));
  }
  for (const node of file.nodes) {
    const operandOf = (ids) => Array.isArray(ids) ? ids.map((id) => values.get(id)) : values.get(ids);
    const optional = Object.entries(node.optional).map(([name, id]) => [name, values.get(id)]);
    const options = { ...node.options, ...Object.fromEntries(optional) };
    const results = builder[node.operator](...node.operands.map(operandOf), ...node.parameters, options);
    node.outputs.forEach((id, i) => values.set(id, Array.isArray(results) ? results[i] : results));
  }
  graph = await builder.build(Object.fromEntries(file.outputs.map(({ name, id }) => [name, values.get(id)])));
  return performance.now() - began;
}

async function prepareRuns() {
  inputs = await createTensors(file.inputs);
  outputs = await createTensors(file.outputs);
  for (const [i, { name }] of file.inputs.entries()) {
    context.writeTensor(inputs[name], await (await fetch(`/input_${i}.bin`)).arrayBuffer());
  }
  const { name, shape } = file.outputs[0];
  output = outputs[name];
  buffer = new Float32Array(shape.reduce((product, size) => product * size, 1));
}

async function createTensors(descriptors) {
  const tensors = {};
  for (const { name, dataType, shape } of descriptors) {
    tensors[name] = await context.createTensor({ dataType, shape, readable: true, writable: true });
  }
  return tensors;
}

async function run(count) {
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    context.dispatch(graph, inputs, outputs);
    await context.readTensor(output, buffer);
  }
  return (performance.now() - began) / count;
}

async function fresh(count) {
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    context.dispatch(graph, inputs, outputs);
    await context.readTensor(output);
  }
  return (performance.now() - began) / count;
}

async function pipeline(count) {
  const began = performance.now();
  for (let i = 0; i < count; i++) context.dispatch(graph, inputs, outputs);
  await context.readTensor(output, buffer);
  return (performance.now() - began) / count;
}

function release() {
  graph.destroy();
}

/** The output as base64, because only text passes to the other process unchanged. */
function readOutput() {
  const bytes = new Uint8Array(buffer.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}
