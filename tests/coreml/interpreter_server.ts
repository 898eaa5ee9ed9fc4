/**
 * Runs ML Programs for native/fake_coreml, which starts this program and sends requests to its standard input. A
 * message is two 32-bit lengths, a JSON header, and a payload of bytes.
 *
 * A compiled model is a folder with the two files of its package, which have been read and linted before.
 */

import { MultiArrayDataType } from "../../ffi/objc/core_ml.ts";
import type { MilProgram, MilValue } from "../../src/backends/coreml/mil.ts";
import { elementCount } from "../../src/shape.ts";
import { readPackage } from "./files.ts";
import { runProgram } from "./interpreter/mod.ts";
import { lint } from "./lint.ts";
import { readProgram } from "./reader.ts";

/** The requests of the fake framework. */
type Request =
  | { operation: "compile"; path: string; target: string }
  | { operation: "load" | "operations"; path: string }
  | { operation: "predict" | "unload"; handle: number };

const programs = new Map<number, MilProgram>();
let handles = 0;

for (let lengths = readExactly(8); lengths !== undefined; lengths = readExactly(8)) {
  const view = new DataView(lengths.buffer);
  const header = readExactly(view.getUint32(0, true))!;
  const payload = readExactly(view.getUint32(4, true))!;
  const request: Request = JSON.parse(new TextDecoder().decode(header));
  try {
    const { reply = {}, bytes = new Uint8Array() } = answer(request, payload);
    send(reply, bytes);
  } catch (error) {
    send({ error: error instanceof Error ? error.message : String(error) }, new Uint8Array());
  }
}

function answer(request: Request, payload: Uint8Array): { reply?: object; bytes?: Uint8Array } {
  switch (request.operation) {
    case "compile":
      compile(request.path, request.target);
      return {};
    case "load":
      return { reply: load(readCompiled(request.path)) };
    case "operations": {
      const { constants, operations } = readCompiled(request.path);
      return { reply: { operations: [...constants.map(() => "const"), ...operations.map(({ type }) => type)] } };
    }
    case "predict":
      return { bytes: predict(programs.get(request.handle)!, payload) };
    case "unload":
      programs.delete(request.handle);
      return {};
  }
}

function compile(path: string, target: string): void {
  const { model, weights } = readPackage((file) => Deno.readFileSync(`${path}/${file}`));
  const problems = lint(readProgram(model, weights));
  if (problems.length > 0) throw new Error(problems.join("; "));
  Deno.mkdirSync(target, { recursive: true });
  Deno.writeFileSync(`${target}/model.mlmodel`, model);
  Deno.writeFileSync(`${target}/weight.bin`, weights);
}

function readCompiled(path: string): MilProgram {
  return readProgram(Deno.readFileSync(`${path}/model.mlmodel`), Deno.readFileSync(`${path}/weight.bin`));
}

function load(program: MilProgram): object {
  programs.set(++handles, program);
  return { handle: handles, inputs: program.inputs.map(feature), outputs: program.outputs.map(feature) };
}

function feature({ name, dataType, shape }: MilValue): object {
  return { name, dataType: MultiArrayDataType[dataType as keyof typeof MultiArrayDataType], shape };
}

function predict(program: MilProgram, payload: Uint8Array): Uint8Array {
  let offset = 0;
  const inputs = program.inputs.map(({ name, dataType, shape }) => {
    const byteLength = elementCount(shape) * (dataType === "fp16" ? 2 : 4);
    return [name, payload.slice(offset, offset += byteLength)] as const;
  });
  const results = runProgram(program, Object.fromEntries(inputs));
  const parts = program.outputs.map(({ name }) => {
    const { data } = results[name]!;
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  return concatenate(parts);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((total, { byteLength }) => total + byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Reads bytes from standard input; `undefined` at its end. */
function readExactly(byteLength: number): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(byteLength);
  for (let offset = 0; offset < byteLength;) {
    const count = Deno.stdin.readSync(bytes.subarray(offset));
    if (count === null) return undefined;
    offset += count;
  }
  return bytes;
}

function send(reply: object, bytes: Uint8Array): void {
  const header = new TextEncoder().encode(JSON.stringify(reply));
  const lengths = new Uint8Array(Uint32Array.of(header.byteLength, bytes.byteLength).buffer);
  const message = concatenate([lengths, header, bytes]);
  try {
    for (let offset = 0; offset < message.byteLength;) offset += Deno.stdout.writeSync(message.subarray(offset));
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(); // The process that sent the request has ended.
    throw error;
  }
}
