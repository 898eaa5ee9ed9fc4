import { type DeviceEntry, devices } from "@webnn/deno";
import { command, noArguments, type Result } from "../command.ts";
import { withoutStderr } from "../quiet.ts";
import { styled, type Terminal } from "../terminal.ts";
import { table } from "../table.ts";

/** `webnn devices`. */
export const devicesCommand = command({
  name: "devices",
  summary: "Lists the devices that can run models here, and why others cannot",
  usage: "",
  help:
    `An available device has just run a small graph. WEBNN_ORT_PATH and WEBNN_ORT_PLUGINS name other libraries to use;
webnn install downloads some.`,
  options: {},
  async run(invocation): Promise<Result> {
    noArguments(invocation);
    invocation.terminal.progress("trying the devices ...");
    const entries = await withoutStderr(() => devices());
    return { data: { devices: entries }, text: deviceTable(invocation.terminal, entries) };
  },
});

function deviceTable(terminal: Terminal, entries: readonly DeviceEntry[]): string {
  const state = ({ available, reason }: DeviceEntry) =>
    available ? styled(terminal, "green", "available") : `missing: ${(reason ?? "").replace(/\s*\n\s*/g, " ")}`;
  return table(
    terminal,
    ["backend", "provider", "device", "hardware", "version", "state"],
    entries.map((entry) => [
      entry.backend,
      entry.provider,
      entry.device,
      entry.hardware,
      entry.version,
      state(entry),
    ]),
  );
}
