import { homedir } from "node:os";
import { join } from "node:path";

/** Where the tasks keep what they download: a folder of the project's in the user's cache, which may not exist yet. */
export function cacheDirectory(): string {
  return join(userCache(), "webnn-deno");
}

function userCache(): string {
  if (Deno.build.os === "windows") return Deno.env.get("LOCALAPPDATA") ?? join(homedir(), "AppData", "Local");
  if (Deno.build.os === "darwin") return join(homedir(), "Library", "Caches");
  return Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache");
}
