import { colmapModels, colmapPhotos, ORIGINALS, type ColmapModel } from './colmap.js';
import { photoName, textChunks, type ExportFile, type ExportFormat } from './types.js';

export const colmapText: ExportFormat = {
  id: 'colmap-text',
  description: 'cameras.txt, images.txt, points3D.txt and the photos, for COLMAP and what reads its models',
  estimateBytes: ({ cameras, cloud }) => cameras.length * 300 + Math.min(100_000, cloud.confidence.length) * 200,
  photoFiles: colmapPhotos,
  write: (scene, { mostSparsePoints } = {}) => {
    const { views, originals } = colmapModels(scene, mostSparsePoints ? { mostPoints: mostSparsePoints } : {});
    return [...textModel(views, 'colmap'), ...(originals ? textModel(originals, `colmap/${ORIGINALS}`) : [])];
  },
};

const textModel = (model: ColmapModel, folder: string): ExportFile[] => [
  { name: `${folder}/cameras.txt`, chunks: textChunks(cameraLines(model)) },
  { name: `${folder}/images.txt`, chunks: textChunks(imageLines(model)) },
  { name: `${folder}/points3D.txt`, chunks: textChunks(pointLines(model)) },
];

function* cameraLines({ cameras }: ColmapModel): Generator<string> {
  yield '# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]';
  for (const { id, model, width, height, parameters } of cameras)
    yield [id, model, width, height, ...parameters].join(' ');
}

function* imageLines({ images }: ColmapModel): Generator<string> {
  yield '# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME';
  yield '# POINTS2D[] as (X, Y, POINT3D_ID)';
  for (const { id, quaternion, translation, camera, cameraId, sightings } of images) {
    yield [id, ...quaternion, ...translation, cameraId, photoName(camera)].join(' ');
    yield sightings.map(({ x, y, point }) => `${x.toFixed(3)} ${y.toFixed(3)} ${point}`).join(' ');
  }
}

function* pointLines({ points }: ColmapModel): Generator<string> {
  yield '# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)';
  for (const { id, position, color, error, track } of points)
    yield [id, ...position, ...color, error, ...track.flatMap(({ image, sighting }) => [image, sighting])].join(' ');
}
