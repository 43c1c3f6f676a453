/**
 * Long side of the sensor in millimetres, by a pattern of make and model, for cameras that write no 35 mm equivalent.
 * Deliberately short: set-wide calibration finds the focal of any camera; this only gives it a better start.
 */
const sensors: readonly (readonly [RegExp, number])[] = [
  [/canon eos[- ]?(5d|5ds r?|6d|1d ?[xc]|1ds|rp?|ra|r[13568])( |$|m)/i, 36],
  [/canon eos[- ]?1d( |$)/i, 28.1],
  [/canon eos/i, 22.3],
  [/canon (powershot|digital ixus)/i, 6.17],
  [/nikon (d[3-6][sx]?|d[67]\d0|d780|d8[0-9]0[ea]?|df)$/i, 35.9],
  [/nikon z ?([5-9]|f)(_\d|ii+)?$/i, 35.9],
  [/nikon (d\d|z)/i, 23.5],
  [/nikon 1 /i, 13.2],
  [/nikon coolpix/i, 6.17],
  [/sony (ilce-[179]|slt-a99|ilca-99|dsc-rx1(r|rm2|rm3)?$|zv-e1$)/i, 35.8],
  [/sony (ilce|ilca|nex|slt|zv-e)/i, 23.5],
  [/sony dsc-rx10/i, 13.2],
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
