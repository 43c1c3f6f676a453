/**
 * Long side of the sensor in millimetres, by a pattern of make and model, for cameras that write no 35 mm equivalent.
 * Deliberately short: set-wide calibration finds the focal of any camera; this only gives it a better start.
 */
const sensors: readonly (readonly [RegExp, number])[] = [
  [/canon eos (5d|6d|1d ?x|r5|r6|r8|rp|r\b)/i, 36],
  [/canon eos/i, 22.3],
  [/canon (powershot|digital ixus)/i, 6.17],
  [/nikon.*(d[3-8]\d\d\b|z ?[5-9]|df|d[345]s?\b)/i, 35.9],
  [/nikon (d|z)/i, 23.5],
  [/nikon coolpix/i, 6.17],
  [/sony (ilce-[179]|slt-a99|dsc-rx1\b)/i, 35.8],
  [/sony (ilce|nex|slt)/i, 23.5],
  [/sony dsc-rx100/i, 13.2],
  [/fujifilm (x-|x[0-9])/i, 23.5],
  [/(olympus|panasonic|om digital)/i, 17.3],
  [/pentax k-1\b/i, 35.9],
  [/pentax k/i, 23.5],
  [/gopro/i, 6.17],
  [/dji (mavic 2 pro|phantom 4 pro)/i, 13.2],
  [/dji/i, 6.3],
];

export function sensorWidth(camera: string): number | undefined {
  return sensors.find(([pattern]) => pattern.test(camera))?.[1];
}
