/**
 * IEEE 754 half precision by tables. J. van der Zijp, "Fast half float conversions", 2008 (here with rounding to
 * nearest by one added bit). Values beyond 65504 saturate; observations are scaled so that none come near.
 */
const base = new Uint16Array(512);
const shift = new Uint8Array(512);
for (let i = 0; i < 256; i++) {
  const exponent = i - 127;
  let bits: number;
  let drop: number;
  if (exponent < -25) [bits, drop] = [0, 24];
  else if (exponent < -14) [bits, drop] = [0x0400 >> (-exponent - 14), -exponent - 1];
  else if (exponent <= 15) [bits, drop] = [(exponent + 15) << 10, 13];
  else [bits, drop] = [0x7bff, 24];
  base[i] = bits;
  base[i | 256] = bits | 0x8000;
  shift[i] = shift[i | 256] = drop;
}
const decoded = new Float32Array(65536);
for (let half = 0; half < 65536; half++) {
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  const magnitude = exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  decoded[half] = half & 0x8000 ? -magnitude : magnitude;
}

/** @returns half-precision bits of `values * scale` */
export function toFloat16(values: Float32Array, scale: number): Uint16Array {
  const scaled = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) scaled[i] = values[i]! * scale;
  const bits = new Uint32Array(scaled.buffer);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i]!;
    const sign = value >>> 23;
    const drop = shift[sign]!;
    // Adding the highest dropped bit rounds to nearest; a carry into the exponent is what rounding up means.
    halves[i] =
      drop === 24
        ? base[sign]!
        : base[sign]! + ((value & 0x7fffff) >>> drop) + (((value & 0x7fffff) >>> (drop - 1)) & 1);
  }
  return halves;
}

/** @returns `halves / scale` */
export function fromFloat16(halves: Uint16Array, scale: number): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = decoded[halves[i]!]! / scale;
  return values;
}
