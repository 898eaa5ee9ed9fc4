/** Where the tasks keep what they download. */
export { cacheDirectory } from "../cli/install/cache_directory.ts";
