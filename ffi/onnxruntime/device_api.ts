/**
 * The part of ONNX Runtime's C API that only devices other than the CPU need. It is bound separately, so that an older
 * library still works on the CPU.
 *
 * @module
 */

import { type Functions, handle, nonblocking, plain, status } from "./table.ts";

/** The oldest version of the API that has all functions below: that of ONNX Runtime 1.24. */
export const DEVICE_API_VERSION = 24;

/** Rows of `OrtApi`. Lists and their items belong to the library, or to the object that returned them. */
export const DEVICE_API = {
  // Execution providers and the devices that they can use
  RegisterExecutionProviderLibrary: status(301, "pointer env", "buffer registration_name", "buffer path"), // `pathString`
  GetEpDevices: status(303, "pointer env", "buffer ep_devices", "buffer num_ep_devices"), // OrtEpDevice***, size_t*
  EpDevice_EpName: plain("pointer", 312, "pointer ep_device"), // a C string, like the next ones
  EpDevice_EpVendor: plain("pointer", 313, "pointer ep_device"),
  EpDevice_EpMetadata: plain("pointer", 314, "pointer ep_device"), // OrtKeyValuePairs*
  EpDevice_Device: plain("pointer", 316, "pointer ep_device"),
  EpDevice_MemoryInfo: plain("pointer", 374, "pointer ep_device", "i32 memory_type"), // null if it has none of the type
  GetNumHardwareDevices: status(397, "pointer env", "buffer num_devices"), // size_t*
  GetHardwareDevices: status(398, "pointer env", "buffer devices", "usize num_devices"), // OrtHardwareDevice**
  HardwareDevice_Type: plain("i32", 307, "pointer device"),
  HardwareDevice_VendorId: plain("u32", 308, "pointer device"), // PCI numbers
  HardwareDevice_Vendor: plain("pointer", 309, "pointer device"), // a C string
  HardwareDevice_DeviceId: plain("u32", 310, "pointer device"),
  HardwareDevice_Metadata: plain("pointer", 311, "pointer device"), // OrtKeyValuePairs*
  GetKeyValue: plain("pointer", 297, "pointer kvps", "buffer key"), // a C string, or null
  SessionOptionsAppendExecutionProvider_V2: status(
    304,
    "pointer session_options",
    "pointer env",
    "buffer ep_devices",
    "usize num_ep_devices",
    "buffer ep_option_keys",
    "buffer ep_option_vals",
    "usize num_ep_options",
  ),

  // CUDA and TensorRT, whose options are objects.
  CreateCUDAProviderOptions: handle(205),
  UpdateCUDAProviderOptions: status(206, "pointer cuda_options", "buffer keys", "buffer values", "usize num_keys"),
  ReleaseCUDAProviderOptions: plain("void", 208, "pointer cuda_options"),
  SessionOptionsAppendExecutionProvider_CUDA_V2: status(204, "pointer options", "pointer cuda_options"),
  CreateTensorRTProviderOptions: handle(171),
  UpdateTensorRTProviderOptions: status(172, "pointer trt_options", "buffer keys", "buffer values", "usize num_keys"),
  ReleaseTensorRTProviderOptions: plain("void", 174, "pointer trt_options"),
  SessionOptionsAppendExecutionProvider_TensorRT_V2: status(170, "pointer options", "pointer trt_options"),

  // Memory of devices
  CreateMemoryInfo_V2: handle(
    320,
    "buffer name",
    "i32 device_type",
    "u32 vendor_id",
    "i32 device_id",
    "i32 mem_type",
    "usize alignment",
    "i32 allocator_type",
  ),
  CreateAllocator: handle(131, "pointer session", "pointer mem_info"), // invalid after the session is released
  ReleaseAllocator: plain("void", 132, "pointer allocator"),
  CopyTensors: status(
    386,
    "pointer env",
    "buffer src_tensors",
    "buffer dst_tensors",
    "pointer stream",
    "usize num_tensors",
  ),
  CopyTensorsAsync: nonblocking.status(
    386,
    "pointer env",
    "pointer src_tensors",
    "pointer dst_tensors",
    "pointer stream",
    "pointer num_tensors", // a size_t, passed as an address
  ),

  // Where the nodes of a session run
  Session_GetEpGraphAssignmentInfo: status(407, "pointer session", "buffer ep_subgraphs", "buffer num_ep_subgraphs"),
  EpAssignedSubgraph_GetEpName: status(408, "pointer ep_subgraph", "buffer out"),
  EpAssignedSubgraph_GetNodes: status(409, "pointer ep_subgraph", "buffer ep_nodes", "buffer num_ep_nodes"),
  EpAssignedNode_GetName: status(410, "pointer ep_node", "buffer out"),
  EpAssignedNode_GetOperatorType: status(412, "pointer ep_node", "buffer out"),
};

/** The functions for devices. */
export type OrtDeviceApi = Functions<typeof DEVICE_API>;

/** The oldest version of the API that can release captured runs: that of ONNX Runtime 1.27. */
export const CAPTURE_API_VERSION = 27;

/** Rows of `OrtApi` for captured runs. */
export const CAPTURE_API = {
  SessionReleaseCapturedGraph: status(421, "pointer session", "i32 graph_annotation_id"),
};

/** The functions for captured runs. */
export type OrtCaptureApi = Functions<typeof CAPTURE_API>;
