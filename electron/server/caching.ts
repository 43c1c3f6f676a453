/**
 * How long a page may keep a binary resource: a photo's name is the hash of its content, so its pictures never change;
 * clouds are asked for once, and depth maps change under their names.
 */
export const cacheControl = (name: string): string =>
  /^(thumbnail|photo)\//.test(name) ? 'private, max-age=3600' : 'no-store';
