import { XMLParser } from 'fast-xml-parser';
import {
  numeric,
  rigidMatrix,
  NO_DISTORTION,
  type KnownCamera,
  type KnownCameraFile,
  type KnownIntrinsics,
} from './types.js';

type Node = Record<string, unknown>;

const list = (value: unknown): Node[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]) as Node[];
const child = (node: Node | undefined, name: string): Node | undefined => list(node?.[name])[0];

/**
 * Camera file of Agisoft Metashape ("Export cameras", XML). Its transform is chunk from camera, in our camera frame;
 * cx and cy are offsets from the picture's centre (Metashape's manual, appendix D).
 *
 * @returns undefined for other XML
 */
export function readMetashape(text: string): KnownCameraFile | undefined {
  let document: Node;
  try {
    document = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: '@' }).parse(text) as Node;
  } catch {
    return undefined;
  }
  const chunk = child(child(document, 'document'), 'chunk');
  if (!chunk) return undefined;
  const sensors = new Map(
    list(child(chunk, 'sensors')?.sensor).map((sensor) => [String(sensor['@id']), sensorIntrinsics(sensor)]),
  );
  const container = child(chunk, 'cameras');
  const listed = [...list(container?.camera), ...list(container?.group).flatMap((group) => list(group.camera))];
  const cameras = listed.map((camera): KnownCamera => {
    const pose = rigidMatrix(textOf(camera.transform).trim().split(/\s+/));
    const intrinsics = sensors.get(String(camera['@sensor_id']));
    return {
      name: String(camera['@label'] ?? ''),
      ...(intrinsics ? { intrinsics } : {}),
      ...(pose ? { worldFromCamera: pose } : {}),
    };
  });
  return { format: 'Metashape cameras', cameras: cameras.filter(({ name }) => name !== ''), notes: [] };
}

function textOf(value: unknown): string {
  if (typeof value === 'object' && value !== null) return String((value as Node)['#text'] ?? '');
  return value === undefined ? '' : String(value);
}

function sensorIntrinsics(sensor: Node): KnownIntrinsics | undefined {
  const calibrations = list(sensor.calibration);
  const calibration = calibrations.find((each) => each['@class'] === 'adjusted') ?? calibrations[0];
  const resolution = child(calibration, 'resolution') ?? child(sensor, 'resolution');
  const width = numeric(resolution?.['@width']);
  const height = numeric(resolution?.['@height']);
  const term = (name: string): number => numeric(textOf(calibration?.[name])) ?? 0;
  const focal = term('f');
  const type = String(sensor['@type'] ?? calibration?.['@type'] ?? '');
  if (/spherical/i.test(type) && width && height)
    return { ...NO_DISTORTION, kind: 'equirectangular', width, height, fx: 0, fy: 0, cx: 0, cy: 0 };
  if (!calibration || !width || !height || focal <= 0) return undefined;
  return {
    ...NO_DISTORTION,
    ...(/fisheye/i.test(type) ? { kind: 'fisheye' as const, k4: term('k4') } : {}),
    width,
    height,
    fx: focal + term('b1'),
    fy: focal,
    cx: width / 2 + term('cx') - 0.5,
    cy: height / 2 + term('cy') - 0.5,
    k1: term('k1'),
    k2: term('k2'),
    k3: term('k3'),
    // Metashape's p1 multiplies r^2 + 2 x^2, OpenCV's p2 does.
    p1: term('p2'),
    p2: term('p1'),
  };
}
