/**
 * The commands, in the order in which `webnn --help` lists them.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { benchCommand } from "./bench.ts";
import { compileCommand } from "./compile.ts";
import { devicesCommand } from "./devices.ts";
import { infoCommand } from "./info.ts";
import { installCommand } from "./install.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";

/** Every command of the program. */
export const COMMANDS: readonly Command[] = [
  devicesCommand,
  infoCommand,
  runCommand,
  benchCommand,
  compileCommand,
  serveCommand,
  installCommand,
];
