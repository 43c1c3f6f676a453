/** The file endings that are tried when a folder is imported; anything else in it is not taken for a photo. */
export const photoEndings = ['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.avif', '.heic', '.heif'];
