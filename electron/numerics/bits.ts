/** Ones and zeros, a byte each, as bits: the lowest bit first. */
export function packBits(flags: Uint8Array): Uint8Array {
  const bits = new Uint8Array((flags.length + 7) >> 3);
  for (let k = 0; k < flags.length; k++) if (flags[k] === 1) bits[k >> 3]! |= 1 << (k & 7);
  return bits;
}

/** A loop: `Uint8Array.from` with a function took ten times as long. */
export function unpackBits(bits: Uint8Array, count: number): Uint8Array {
  const flags = new Uint8Array(count);
  for (let k = 0; k < count; k++) flags[k] = (bits[k >> 3]! >> (k & 7)) & 1;
  return flags;
}

/** Number of ones. */
export function countBits(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count++;
  return count;
}
