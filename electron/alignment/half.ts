let table: Float32Array | undefined;

/** IEEE 754 half precision to single, by a table of all 65,536 values. */
export function halfToFloat(halves: Uint16Array): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  const lookup = table;
  return Float32Array.from(halves, (bits) => lookup[bits]!);
}
