/** The file endings that are tried when a folder is imported; anything else in it is not taken for a photo. */
export const photoEndings = [
  ...[
    '.jpg',
    '.jpeg',
    '.jfif',
    '.png',
    '.webp',
    '.tif',
    '.tiff',
    '.avif',
    '.heic',
    '.heif',
    '.jxl',
    '.exr',
    '.pgm',
    '.ppm',
  ],
  ...['.dng', '.cr2', '.cr3', '.nef', '.arw', '.raf', '.orf', '.rw2'],
];

/** Of videos, whose frames are chosen and used as photos. */
export const videoEndings = ['.mp4', '.mov', '.m4v', '.webm', '.mkv', '.avi', '.mts', '.m2ts', '.3gp', '.mpg', '.mpeg'];

/** What may be chosen as a photo in a file dialog. */
export const isInput = (name: string): boolean =>
  [...photoEndings, ...videoEndings].some((ending) => name.toLowerCase().endsWith(ending));
