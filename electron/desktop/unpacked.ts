/**
 * In a package, the path of a file beside the archive instead of in it: worker threads, native modules and recursive
 * listings need real files (build/electron-builder.mjs, asarUnpack). In a checkout, the path itself.
 */
export const unpacked = (path: string): string => path.replace(/\bapp\.asar(?=[\\/]|$)/, 'app.asar.unpacked');
