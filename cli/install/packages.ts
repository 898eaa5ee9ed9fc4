/**
 * The packages of `webnn install`.
 *
 * @module
 */
import type { Wheel } from "./pip.ts";

/** A package that `webnn install` offers. */
export interface Package {
  readonly name: string;
  /** A description for the help. */
  readonly summary: string;
  /** The libraries to try, in order: the first that works is installed. */
  readonly choices: readonly [Library, ...Library[]];
}

/** A library that can be installed. */
export interface Library {
  /** The PyPI packages; all are unpacked into one folder. */
  readonly wheels: readonly [Wheel, ...Wheel[]];
  /** The path of the library in that folder, for each operating system that has one. */
  readonly library: Readonly<Partial<Record<typeof Deno.build.os, string>>>;
  /** The environment variable that selects the library. */
  readonly variable: "WEBNN_ORT_PATH" | "WEBNN_ORT_PLUGINS";
  /** The provider that must run a graph with the library. */
  readonly provider: string;
  /** The device that the provider needs. A machine without it can install the library, but cannot test it. */
  readonly hardware?: string;
  /** A file in the folder that the library needs in its own folder: it is copied there. */
  readonly dependency?: string;
}

/** The official ONNX Runtime for CPUs, in the version that the module is made for. */
const ONNXRUNTIME: Library = {
  wheels: [{
    project: "onnxruntime",
    version: "1.30.0",
    hashes: [
      "fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242",
      "bac3aee7b40acd805659fd81a2acd6096312d5b0f014c97ddfe75fb4c1644627",
      "f36c87ec504f4f328e968ee322e4ba9682abe66280b3425625afcbed5333fed7",
      "0edd0145a6e3fce8a1276491dc784d615e3c58bcb952c9b4e5c876d5c6a12ad7",
      "16506cfa5d218850f2b46e0edce1b952121f2f84f8e0074dafe15f4787f0c8fb",
    ],
  }],
  library: {
    linux: "onnxruntime/capi/libonnxruntime.so.1.30.0",
    darwin: "onnxruntime/capi/libonnxruntime.1.30.0.dylib",
    windows: "onnxruntime/capi/onnxruntime.dll",
  },
  variable: "WEBNN_ORT_PATH",
  provider: "cpu",
};

/** OpenVINO as a plug-in for an installed ONNX Runtime: for Intel processors and GPUs. */
const OPENVINO_PLUGIN: Library = {
  wheels: [{
    project: "onnxruntime-ep-openvino",
    version: "1.8.1",
    hashes: [
      "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
      "1acd878be173b02bb8b953460f2f59b121e5f6e47ebc6aad490c0590cf6718fb",
    ],
  }],
  library: {
    linux: "onnxruntime_ep_openvino/libonnxruntime_providers_openvino_plugin.so",
    windows: "onnxruntime_ep_openvino/onnxruntime_providers_openvino_plugin.dll",
  },
  variable: "WEBNN_ORT_PLUGINS",
  provider: "openvino",
};

/** An older ONNX Runtime with OpenVINO built in, which also works on other processors. */
const OPENVINO: Library = {
  wheels: [{
    project: "onnxruntime-openvino",
    version: "1.24.1",
    hashes: [
      "3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8",
      "8042698232bf67f1f6b219c2b07728d7ae7ddff17d8524588de3675480609aef",
    ],
  }],
  library: {
    linux: "onnxruntime/capi/libonnxruntime.so.1.24.1",
    windows: "onnxruntime/capi/onnxruntime.dll",
  },
  variable: "WEBNN_ORT_PATH",
  provider: "openvino",
};

/** ONNX Runtime with its providers for Nvidia GPUs. */
const CUDA: Library = {
  wheels: [
    {
      project: "onnxruntime-gpu",
      version: "1.30.0",
      hashes: [
        "4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa",
        "fea66ebd743717de6f254955293b5f978825be7867c87a99c4a0ac1fe6f1d763",
      ],
    },
    {
      project: "nvidia-curand",
      version: "10.4.5.25",
      hashes: [
        "22bb226a857e5888fe6b54ae465fc4371296bcff13a35f79e19691bcf454f529",
        "f6a02a70f5b9715235df31a164a4bf3237a45be1600a5f435f5e4a0d8682eb22",
      ],
    },
  ],
  library: { linux: "onnxruntime/capi/libonnxruntime.so.1.30.0", windows: "onnxruntime/capi/onnxruntime.dll" },
  variable: "WEBNN_ORT_PATH",
  provider: "cuda",
  hardware: "a GPU",
  dependency: "nvidia/cu13/lib/libcurand.so.10",
};

/** All packages, in the order of the help. */
export const PACKAGES: readonly Package[] = [
  {
    name: "onnxruntime",
    summary: "ONNX Runtime 1.30 for CPUs (23 MB), instead of the npm package with all platforms (290 MB)",
    choices: [ONNXRUNTIME],
  },
  {
    name: "openvino",
    summary: "OpenVINO (60 MB): a plug-in for Intel processors, an older ONNX Runtime with it for others",
    choices: [OPENVINO_PLUGIN, OPENVINO],
  },
  {
    name: "cuda",
    summary: "ONNX Runtime 1.30 with CUDA and TensorRT (230 MB); needs CUDA 13 and cuDNN",
    choices: [CUDA],
  },
];
