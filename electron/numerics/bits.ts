/** Ones and zeros, a byte each, as bits: the lowest bit first. */
export function packBits(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array((flags.length + 7) >> 3);
  flags.forEach((flag, k) => {
    if (flag === 1) bits[k >> 3]! |= 1 << (k & 7);
  });
  return bits;
}

export function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, k) => (bits[k >> 3]! >> (k & 7)) & 1);
}
