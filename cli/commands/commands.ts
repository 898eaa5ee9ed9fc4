/**
 * The commands, in the order of `webnn --help`.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { benchCommand } from "./bench.ts";
import { compileCommand } from "./compile.ts";
import { convertCommand } from "./convert.ts";
import { devicesCommand } from "./devices.ts";
import { infoCommand } from "./info.ts";
import { installCommand } from "./install.ts";
import { profileCommand } from "./profile.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";
import { viewCommand } from "./view.ts";

/** Every command of the program. */
export const COMMANDS: readonly Command[] = [
  devicesCommand,
  infoCommand,
  runCommand,
  benchCommand,
  profileCommand,
  viewCommand,
  convertCommand,
  compileCommand,
  serveCommand,
  installCommand,
];
