/**
 * Reads the inputs of a run from files, and makes random ones for the others.
 *
 * @module
 */
import type { ModelPort, TensorInput } from "@webnn/deno/onnx";
import { namedValue, type Options, type Values } from "../command.ts";
import { arrayOf, bytesNeeded, formatShape } from "../elements.ts";
import { Failure, fileError, messageOf, UsageError } from "../errors.ts";
import { checkShape, completeShapes, parseShapes, portNamed, SHAPE_OPTIONS, type Shapes } from "../shapes.ts";
import { readJson } from "./json.ts";
import { readNpy, readNpz } from "./numpy.ts";
import { isPicture, PICTURE_OPTIONS, readPicture } from "./picture.ts";
import { randomInput } from "./random.ts";
import { readSound, SOUND_OPTIONS } from "./sound.ts";
import { inputOf } from "./tensor.ts";

/** The options of commands that run a model. */
export const INPUT_OPTIONS = {
  input: {
    kind: "list",
    value: "NAME=FILE",
    help:
      "the file of an input: .npy, .npz, .json, .bin (little-endian), .wav, or a picture;\nwithout NAME=, a .npz file contains several inputs by name",
  },
  ...SHAPE_OPTIONS,
  seed: { kind: "text", value: "N", help: "the seed of the random numbers for inputs without a file (1)" },
  ...PICTURE_OPTIONS,
  ...SOUND_OPTIONS,
} as const satisfies Options;

/** The values of {@linkcode INPUT_OPTIONS}. */
export type InputOptions = Values<typeof INPUT_OPTIONS>;

/** The inputs of a run, by name. Each has a shape. */
export type Inputs = Readonly<Record<string, TensorInput & { readonly shape: readonly number[] }>>;

/** Reads the given files, and makes random elements for the other inputs of a model. */
export async function readInputs(ports: readonly ModelPort[], options: InputOptions): Promise<Inputs> {
  const shapes = parseShapes(options.shape);
  for (const [name, shape] of shapes) checkShape(portNamed(ports, name, "--shape"), shape, `--shape ${name}`);
  const seed = seedOf(options.seed);
  const inputs: Record<string, TensorInput> = {};
  for (const text of options.input) {
    for (const [name, input] of await readInput(ports, text, shapes, options)) {
      if (name in inputs) throw new UsageError(`--input ${name} is given twice`);
      checkGiven(text, name, input.shape!, shapes.get(name));
      inputs[name] = input;
      shapes.set(name, input.shape!);
    }
  }
  const complete = completeShapes(ports, shapes);
  for (const [i, port] of ports.entries()) inputs[port.name] ??= randomInput(port, complete.get(port.name)!, seed + i);
  return inputs as Inputs;
}

/** Whether an input has a file: one of its own, or a .npz file for all inputs. */
export function isGiven(name: string, { input }: InputOptions): boolean {
  return input.some((text) => text.startsWith(`${name}=`) || /^[^=]+\.npz$/i.test(text));
}

/**
 * Adds to an error of a model which of its integer inputs have random numbers. A model may not support these: one that
 * takes a sample rate supports few.
 */
export function explainRandom(error: unknown, ports: readonly ModelPort[], options: InputOptions): unknown {
  const random = ports.filter(({ name, dataType }) => dataType.includes("int") && !isGiven(name, options));
  if (!(error instanceof DOMException && error.name === "NotSupportedError") || random.length === 0) return error;
  const names = random.map(({ name }) => JSON.stringify(name)).join(", ");
  const files = random.map(({ name }) => `--input ${name}=FILE`).join(" ");
  return new Error(`${messageOf(error)} (${names} had random numbers; give others with ${files})`, { cause: error });
}

function seedOf(text = "1"): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--seed must be an integer from 0 to 999999999, not ${JSON.stringify(text)}`);
}

/** Rejects a file whose shape differs from `--shape`. */
function checkGiven(text: string, name: string, shape: readonly number[], given: readonly number[] | undefined): void {
  if (given === undefined || String(given) === String(shape)) return;
  throw new Failure(
    `--input ${text} has the shape ${formatShape(shape)}, but --shape ${name} is ${formatShape(given)}`,
  );
}

/** Reads one `--input`: one input, or all arrays of a .npz file. */
async function readInput(
  ports: readonly ModelPort[],
  text: string,
  shapes: Shapes,
  options: InputOptions,
): Promise<[name: string, input: TensorInput][]> {
  if (/^[^=]+\.npz$/i.test(text)) {
    const arrays = readNpz(await readFile(text), text);
    const found = [...arrays].map(([name, tensor]): [string, TensorInput] => {
      return [name, inputOf(portNamed(ports, name, text), tensor, `${text}, array ${JSON.stringify(name)},`)];
    });
    if (found.length === 0) throw new Failure(`${text} contains no arrays`);
    return found;
  }
  const [name, path] = namedValue(text, "--input", "FILE");
  const port = portNamed(ports, name, "--input");
  return [[name, await readOne(port, path, shapes.get(name), options)]];
}

async function readOne(
  port: ModelPort,
  path: string,
  given: readonly number[] | undefined,
  options: InputOptions,
): Promise<TensorInput> {
  const bytes = await readFile(path);
  const shape = given ?? port.shape?.map((size) => typeof size === "number" ? size : undefined);
  const fixed = shape?.every((size) => size !== undefined) ? shape as readonly number[] : undefined;
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase();
  if (isPicture(path)) return readPicture(port, bytes, path, shape, options);
  if (extension === "wav") return readSound(port, bytes, path, shape, options);
  if (extension === "npy") return inputOf(port, readNpy(bytes, path), path);
  if (extension === "npz") return inputOf(port, arrayFor(port, readNpz(bytes, path), path), path);
  if (extension === "json") return readJson(port, new TextDecoder().decode(bytes), path, fixed);
  if (extension === "bin") return readRaw(port, bytes, path, fixed ?? shapeFromSize(port, bytes, shape));
  throw new Failure(`${path}: an input must be a .npy, .npz, .json, .bin or .wav file, or a picture`);
}

/** The array with the name of the input, or the only array. */
function arrayFor({ name }: ModelPort, arrays: ReturnType<typeof readNpz>, path: string) {
  const array = arrays.get(name) ?? (arrays.size === 1 ? [...arrays.values()][0] : undefined);
  if (array) return array;
  const names = [...arrays.keys()].join(", ") || "none";
  throw new Failure(`${path} has no array ${JSON.stringify(name)}; its arrays: ${names}`);
}

/** The shape of an input with one free dimension, whose size follows from the number of bytes. */
function shapeFromSize(
  { dataType }: ModelPort,
  bytes: Uint8Array,
  shape: readonly (number | undefined)[] | undefined,
): readonly number[] | undefined {
  if (shape?.filter((size) => size === undefined).length !== 1) return undefined;
  const rest = bytesNeeded(dataType, shape.map((size) => size ?? 1));
  return shape.map((size) => size ?? Math.floor(bytes.length / rest));
}

function readRaw(port: ModelPort, bytes: Uint8Array, path: string, shape: readonly number[] | undefined): TensorInput {
  const what = `the input ${JSON.stringify(port.name)}`;
  if (shape === undefined) {
    throw new Failure(`${path} has no shape, and ${what} has free dimensions; give it with --shape ${port.name}=...`);
  }
  const needed = bytesNeeded(port.dataType, shape);
  if (bytes.length !== needed) {
    throw new Failure(
      `${path} has ${bytes.length} bytes, but ${what} is ${port.dataType} [${shape.join(", ")}]: ${needed} bytes`,
    );
  }
  return { data: arrayOf(port.dataType, bytes), shape };
}

async function readFile(path: string): Promise<Uint8Array> {
  return await Deno.readFile(path).catch((error) => {
    throw fileError(path, error);
  });
}
