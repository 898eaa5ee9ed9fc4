import { homedir } from "node:os";
import { join } from "node:path";

/** The folder for downloads: one for this project in the user's cache. It may not exist yet. */
export function cacheDirectory(): string {
  return join(userCache(), "webnn-deno");
}

function userCache(): string {
  if (Deno.build.os === "windows") return Deno.env.get("LOCALAPPDATA") ?? join(homedir(), "AppData", "Local");
  if (Deno.build.os === "darwin") return join(homedir(), "Library", "Caches");
  return Deno.env.get("XDG_CACHE_HOME") || join(homedir(), ".cache");
}
