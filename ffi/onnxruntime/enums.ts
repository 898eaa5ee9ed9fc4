/**
 * The enumerations of ONNX Runtime's C API that the module uses, with C names without their prefix.
 *
 * @module
 */

/** `ONNXTensorElementDataType`: WebNN's data types, with WebNN's names, and two that only graphs have. */
export const ElementType = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  uint4: 21,
  int4: 22,
} as const;

/** A value of {@linkcode ElementType}. */
export type ElementType = typeof ElementType[keyof typeof ElementType];

/** `ONNXType`. */
export const ValueType = { SEQUENCE: 2 } as const;

/** `OrtErrorCode`. */
export const ErrorCode = {
  FAIL: 1,
  INVALID_ARGUMENT: 2,
  NO_SUCHFILE: 3,
  NO_MODEL: 4,
  ENGINE_ERROR: 5,
  RUNTIME_EXCEPTION: 6,
  INVALID_PROTOBUF: 7,
  MODEL_LOADED: 8,
  NOT_IMPLEMENTED: 9,
  INVALID_GRAPH: 10,
  EP_FAIL: 11,
  MODEL_LOAD_CANCELED: 12,
  MODEL_REQUIRES_COMPILATION: 13,
  NOT_FOUND: 14,
  DEVICE_RESET: 15,
} as const;

/** `GraphOptimizationLevel`. */
export const OptimizationLevel = { DISABLE_ALL: 0, BASIC: 1, EXTENDED: 2, LAYOUT: 3, ALL: 99 } as const;

/** `OrtLoggingLevel`. */
export const LoggingLevel = { VERBOSE: 0, INFO: 1, WARNING: 2, ERROR: 3, FATAL: 4 } as const;

/** `OrtAllocatorType`. */
export const AllocatorType = { DEVICE: 0, ARENA: 1 } as const;

/** `OrtMemType`. */
export const MemoryType = { CPU_INPUT: -2, CPU_OUTPUT: -1, DEFAULT: 0 } as const;

/** `OrtHardwareDeviceType`. */
export const HardwareType = { CPU: 0, GPU: 1, NPU: 2 } as const;

/** `OrtMemoryInfoDeviceType`. */
export const MemoryDeviceType = { CPU: 0, GPU: 1, FPGA: 2, NPU: 3 } as const;

/** `OrtDeviceMemoryType`. */
export const DeviceMemoryType = { DEFAULT: 0, HOST_ACCESSIBLE: 5 } as const;
