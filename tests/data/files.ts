/** The files of the test data, their origins, and their checksums. */

/** The server for files in public repositories; the paths are `OWNER/REPOSITORY/COMMIT/PATH`. */
export const ORIGIN = "https://raw.githubusercontent.com/";

const RUSTNN = "rustnn/rustnn/7aa623c57075e78e72a2f9dad375245f5c92e8c3"; // Apache-2.0
const POLYFILL = "webmachinelearning/webnn-polyfill/1e589c35febbcd1b84d3a0078b0032f4607ba8d4"; // Apache-2.0
const PREVIEW = "microsoft/webnn-developer-preview/fedae01588301c937121a89f9bb14d90a7bd960f"; // MIT
const EXAMPLES = "microsoft/onnxruntime-inference-examples/428b0399b871c258683ccfa9e9eb9e449ef01843"; // MIT

/** A file that is downloaded and not changed. */
export interface RemoteFile {
  /** The path in the folder of the test data. */
  readonly path: string;
  /** The path on {@linkcode ORIGIN}. */
  readonly address: string;
  readonly sha256: string;
}

/** A file of weights, created from one `.npy` file per tensor. */
export interface WeightsFile {
  readonly path: string;
  readonly sha256: string;
  /** The JSON file next to this module with the names and shapes of the tensors, in order. */
  readonly tensors: string;
  /** The path of a tensor on {@linkcode ORIGIN}. */
  address(tensor: string): string;
  /** Formulas of tensors that are synthetic, because trained ones are not public. */
  readonly computed?: Readonly<Record<string, (index: number) => number>>;
}

export const REMOTE_FILES: readonly RemoteFile[] = [
  {
    path: "models/imagenet_labels.txt",
    address: `${RUSTNN}/examples/imagenet_classes.txt`,
    sha256: "1f386e0d1cb6e28b9c2dac651c3dea6801e98ad1b41a14ce6bb1a093d72069f5",
  },
  {
    path: "models/images/red_panda.jpg",
    address: `${RUSTNN}/examples/images/test.jpg`,
    sha256: "3cc302b04f5d1c7032d52afb35b8dafa4cb2b3073c45195660bc9cd2ad63a9d8",
  },
  {
    path: "models/images/chameleon.jpg",
    address: `${PREVIEW}/Get%20Started/WebNN%20Tutorial/images/chameleon.jpg`,
    sha256: "a7a66237a04f7e3db0134f1a5e05c91b1c823d6e1503fa913f633d232eb9c249",
  },
  {
    path: "models/images/goldfish.jpg",
    address: `${EXAMPLES}/c_sharp/image_classification/model/goldfish.jpg`,
    sha256: "61ff9f1e0c4ed5906efed08c19d0c501b5ba75e45df77818d533a28e825341aa",
  },
  {
    path: "models/images/horse_cart.jpg",
    address: `${EXAMPLES}/c_sharp/image_classification/model/horse-cart.jpg`,
    sha256: "682ac0ca368f87169d8b485d461ba336d8e06425cac87ca104e07ef8e989b024",
  },
];

export const WEIGHTS_FILES: readonly WeightsFile[] = [
  {
    path: "models/squeezenet1.1.safetensors",
    sha256: "a8db077624635a6736eaf29216c363d6892355a329ffc142956d378bcf6ff14e",
    tensors: "squeezenet1.1.tensors.json",
    address: (tensor) => `${POLYFILL}/test/models/squeezenet1.1_nchw/weights/squeezenet0_${tensor}.npy`,
  },
  {
    path: "models/mobilenetv2.safetensors",
    sha256: "46e0a1e22ac90dd4d90ed0f592916483ff5574ff4a70927ca6d89c36bbedb54b",
    tensors: "mobilenetv2.tensors.json",
    address: (tensor) => `${RUSTNN}/examples/mobilenetv2_weights/${tensor}.npy`,
    computed: { gemm_104_weight: (index) => Math.sin(index * 0.001) * 0.05 },
  },
];

/** The web platform tests (BSD-3-Clause), whose numeric tests are converted to cases. */
export const WPT = { repository: "ibelem/wpt", commit: "2a91c2e71952bdceef8b2825ce3a0a0dc73aa588", date: "2026-06-29" };

/** Files that are in this repository, in `tests/data/files/`: layers, reference results, limits of operators. */
export const OWN_FILES: readonly string[] = [
  "models/squeezenet1.1.json",
  "models/squeezenet1.1.reference.json",
  "models/mobilenetv2.json",
  "models/mobilenetv2.reference.json",
  "spec/op_limits.json",
];
