/** Dark blue over teal and green to yellow: brightness rises all the way, so that it reads without colour vision. */
const stops = [
  [0.16, 0.13, 0.42],
  [0.16, 0.36, 0.6],
  [0.13, 0.58, 0.55],
  [0.48, 0.79, 0.37],
  [0.99, 0.91, 0.3],
] as const;

/** The colour at t, 0 to 1; [3], 0 to 1. */
export function ramp(t: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, t)) * (stops.length - 1);
  const k = Math.min(stops.length - 2, Math.floor(at));
  return [0, 1, 2].map((i) => stops[k]![i]! + (at - k) * (stops[k + 1]![i]! - stops[k]![i]!)) as [
    number,
    number,
    number,
  ];
}

const vec3 = (colour: readonly number[]): string => `vec3(${colour.map((value) => value.toFixed(2)).join(', ')})`;

/** The same as a function of a shader: `vec3 ramp(float t)`. */
export const rampShader = /* glsl */ `
  vec3 ramp(float t) {
    t = clamp(t, 0.0, 1.0) * 4.0;
    vec3 a = ${vec3(stops[0])}, b = ${vec3(stops[1])}, c = ${vec3(stops[2])}, d = ${vec3(stops[3])}, e = ${vec3(stops[4])};
    return t < 1.0 ? mix(a, b, t) : t < 2.0 ? mix(b, c, t - 1.0) : t < 3.0 ? mix(c, d, t - 2.0) : mix(d, e, t - 3.0);
  }`;
