/** The folder for downloads. */
export { cacheDirectory } from "../cli/install/cache_directory.ts";
