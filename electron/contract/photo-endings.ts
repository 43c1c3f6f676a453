/** The file endings that are tried when a folder is imported; anything else in it is not taken for a photo. */
export const photoEndings = [
  ...[
    '.jpg',
    '.jpeg',
    '.jpe',
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
    '.pnm',
    '.gif',
    '.bmp',
    '.dib',
  ],
  ...['.dng', '.cr2', '.cr3', '.nef', '.arw', '.raf', '.orf', '.rw2'],
];

/** Of videos, whose frames are chosen and used as photos. */
export const videoEndings = ['.mp4', '.mov', '.m4v', '.webm', '.mkv', '.avi', '.mts', '.m2ts', '.3gp', '.mpg', '.mpeg'];

/** Of pictures that no reader here knows, and what to save them as: in a folder of photos they are meant as photos. */
export const strangerEndings: Readonly<Record<string, readonly string[]>> = {
  PNG: ['.jp2', '.j2k', '.jpx', '.jpf', '.tga', '.psd', '.psb', '.xcf', '.ico', '.pcx', '.svg', '.hdr', '.fits'],
  DNG: ['.pef', '.srw', '.nrw', '.crw', '.3fr', '.fff', '.iiq', '.x3f', '.mrw', '.erf', '.kdc', '.dcr', '.mef', '.rwl'],
};

/** What may be chosen as a photo in a file dialog. */
export const isInput = (name: string): boolean =>
  [...photoEndings, ...videoEndings].some((ending) => name.toLowerCase().endsWith(ending));
