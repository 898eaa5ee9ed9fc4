/**
 * The device that a command runs a model on.
 *
 * @module
 */
import { type ContextOptions, createContext, type MLContext } from "@webnn/deno";
import { type Options, positiveInteger } from "../command.ts";
import { Failure, messageOf } from "../errors.ts";
import { withoutStderr } from "../quiet.ts";

/** The options of the commands that open a device. */
export const DEVICE_OPTIONS = {
  device: {
    kind: "text",
    value: "NAME",
    help: "cpu, gpu, npu, or a provider that webnn devices lists, such as openvino (cpu)",
  },
  threads: { kind: "text", value: "N", help: "the number of CPU threads (one per core)" },
} as const satisfies Options;

/** The values of these options. */
export interface DeviceValues {
  readonly device?: string | undefined;
  readonly threads?: string | undefined;
}

/** Creates a context on the device that the options select. An error names the option. */
export async function openContext(values: DeviceValues, others: ContextOptions = {}): Promise<MLContext> {
  const options = { ...contextOptions(values), ...others };
  const { device = "cpu" } = values;
  if (device === "cpu") return await createContext(options);
  return await withoutStderr(() => createContext(options)).catch((error) => {
    throw new Failure(`--device ${device}: ${messageOf(error)}`, { cause: error });
  });
}

/** Converts the options of a command to those of `createContext`. */
export function contextOptions({ device, threads }: DeviceValues): ContextOptions {
  return {
    ...(device === undefined ? {} : deviceOptions(device)),
    ...(threads === undefined ? {} : { threads: positiveInteger(threads, "--threads") }),
  };
}

/** The options of `createContext` for a value of `--device`. */
export function deviceOptions(name: string): ContextOptions {
  if (name === "cpu" || name === "gpu" || name === "npu") return { device: name };
  return name === "coreml" ? { backend: "coreml" } : { provider: name };
}
