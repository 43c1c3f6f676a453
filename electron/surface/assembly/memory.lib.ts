// One bump allocator over the kernel's own memory: what a call needs is laid out from `reset` on, and grows at its end.

const PAGE: usize = 65536;
let end: usize = 65536;

/** Everything after `base` is free again. */
export function rewind(base: usize): void {
  end = base;
}

// @ts-expect-error a decorator of AssemblyScript
@inline
export function top(): usize {
  return end;
}

/** Bytes that are not cleared. */
export function take(bytes: usize): usize {
  const at = end;
  end = (end + bytes + 15) & ~15;
  const have = <usize>memory.size() * PAGE;
  if (end > have) {
    // A sixteenth more than asked: growing page by page, each time something is appended, took a third of the time.
    const more = (end - have + PAGE - 1) / PAGE + ((end / PAGE) >> 4);
    if (memory.grow(<i32>more) < 0) unreachable();
  }
  return at;
}

export function takeCleared(bytes: usize): usize {
  const at = take(bytes);
  memory.fill(at, 0, bytes);
  return at;
}
