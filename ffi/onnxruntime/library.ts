/**
 * Finds and opens ONNX Runtime: the path that the caller gives, else WEBNN_ORT_PATH, else the library in the npm
 * package onnxruntime-node.
 *
 * @module
 */

import { LibraryError, openLibrary, readEnvironment } from "../library.ts";
import { readCString, readPointer } from "../memory.ts";
import { API_VERSION, bindApi, type OrtTables } from "./api.ts";
import { foreign } from "./table.ts";
import { disableTelemetry } from "./telemetry.ts";

/** ONNX Runtime. It stays open for the life of the process. */
export interface OnnxRuntime extends OrtTables {
  /** The path it was loaded from. */
  readonly path: string;
  /** Its version, such as "1.30.0". */
  readonly version: string;
}

/** The library file in the npm package, by system (as in `Deno.build`). */
const NPM_FILES: Record<string, string> = {
  "linux x86_64": "bin/napi-v6/linux/x64/libonnxruntime.so.1",
  "linux aarch64": "bin/napi-v6/linux/arm64/libonnxruntime.so.1",
  "darwin aarch64": "bin/napi-v6/darwin/arm64/libonnxruntime.1.30.0.dylib",
  "windows x86_64": "bin/napi-v6/win32/x64/onnxruntime.dll",
  "windows aarch64": "bin/napi-v6/win32/arm64/onnxruntime.dll",
};

const REMEDY = `name ONNX Runtime 1.${API_VERSION} or newer in the option library or in WEBNN_ORT_PATH`;

const runtimes = new Map<string, OnnxRuntime>();

/**
 * Opens ONNX Runtime, once per path.
 *
 * @param path the library; optional
 * @throws {LibraryError} if it is missing or cannot be used
 */
export async function openOnnxRuntime(path?: string): Promise<OnnxRuntime> {
  const file = path ?? readEnvironment("WEBNN_ORT_PATH") ?? await npmLibraryPath();
  const runtime = runtimes.get(file) ?? openFile(file);
  runtimes.set(file, runtime);
  return runtime;
}

function openFile(path: string): OnnxRuntime {
  const symbols = { OrtGetApiBase: { parameters: [], result: "pointer", optional: true } } as const;
  return openLibrary(path, symbols, ({ OrtGetApiBase }) => {
    const base = OrtGetApiBase?.() ?? null;
    if (base === null) throw new LibraryError(`${path} is not ONNX Runtime (no OrtGetApiBase); ${REMEDY}`);
    // OrtApiBase: GetApi and GetVersionString
    const getApi = foreign<[number], Deno.PointerValue>(readPointer(base, 0)!, ["u32 version"], "pointer");
    const getVersionString = foreign<[], Deno.PointerValue>(readPointer(base, 8)!, [], "pointer");
    const version = readCString(getVersionString());
    const table = getApi(API_VERSION);
    if (table === null) throw new LibraryError(`${path} is ONNX Runtime ${version}, which is too old; ${REMEDY}`);
    const tables = bindApi(table, minorVersion(version));
    if (tables === null) throw new LibraryError(`${path} was built without the Model Editor; ${REMEDY}`);
    disableTelemetry();
    return { path, version, ...tables };
  });
}

/** ONNX Runtime 1.30 has API version 30. All versions share one table that grows at the end. */
function minorVersion(version: string): number {
  return Number(version.split(".")[1] ?? 0);
}

async function npmLibraryPath(): Promise<string> {
  const { os, arch } = Deno.build;
  const file = NPM_FILES[`${os} ${arch}`];
  if (file === undefined) {
    throw new LibraryError(`The npm package onnxruntime-node has no library for ${os} ${arch}; ${REMEDY}`);
  }
  const url = await npmPackageUrl();
  if (!url.startsWith("file:")) {
    throw new LibraryError(
      `The npm package onnxruntime-node 1.30.0 is not installed; run \`deno install\`, or ${REMEDY}`,
    );
  }
  return filePath(new URL(file, url));
}

async function npmPackageUrl(): Promise<string> {
  try {
    return (await import("./npm_package.ts")).packageUrl;
  } catch (cause) {
    throw new LibraryError(`${packageProblem(cause)}, or ${REMEDY}`, { cause });
  }
}

/** The message. If the project has a package.json, Deno loads packages only from its node_modules folder. */
function packageProblem(cause: unknown): string {
  return String(cause).includes("node_modules directory")
    ? "This project has its npm packages in node_modules, and onnxruntime-node 1.30.0 is not there; run " +
      "`deno add npm:onnxruntime-node@1.30.0`"
    : "The npm package onnxruntime-node 1.30.0 could not be loaded; connect to the npm registry once";
}

/** Like `fileURLToPath` of node:url, which takes 5 ms to load. */
function filePath({ pathname }: URL): string {
  const path = decodeURIComponent(pathname);
  // file:///C:/x is C:/x on Windows.
  return Deno.build.os === "windows" ? path.slice(1) : path;
}
