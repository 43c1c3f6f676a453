import { loadKernel } from '../compute/wasm.js';
import { compose, invert, type Similarity } from '../geometry/similarity.js';
import type { PhotoSamples } from './samples.js';
import type { AlignmentState } from './state.js';

interface Kernel {
  BINS: WebAssembly.Global;
  evaluate(
    samples: number,
    count: number,
    m: number,
    offsets: number,
    depths: number,
    out: number,
    maps: number,
    f: number,
    smoothing: number,
    scratch: number,
  ): number;
  assemble(
    samples: number,
    count: number,
    m: number,
    n: number,
    offsets: number,
    depths: number,
    maps: number,
    f: number,
    smoothing: number,
    beta: number,
    H: number,
    g: number,
    own: number,
    focals: number,
    panel: number,
    scratch: number,
  ): void;
  judge(
    samples: number,
    count: number,
    m: number,
    offsets: number,
    depths: number,
    maps: number,
    f: number,
    factors: number,
    agrees: number,
    confidence: number,
    histogram: number,
    scratch: number,
  ): number;
}

/**
 * One photo's normal equations in its camera's coordinates, depths eliminated. Views into the kernel's memory: read
 * before the next.
 */
export interface LocalEquations {
  /** [n, n] lower triangle; unknown i of target t stands at i * width + t, the focal at 7 * width. */
  H: Float64Array;
  g: Float64Array;
  n: number;
}

interface Place {
  photo: PhotoSamples;
  samples: number;
  offsets: number;
  /** Accepted depths, and those of the trial in hand. */
  depths: number;
  trial: number;
  n: number;
}

const PAGE = 65_536;
const PANEL_ROWS = 16;

/** Photos' samples inside the kernel's memory, with a depth for every pixel. */
export class PixelKernel {
  private readonly exports: Kernel;
  private readonly memory: WebAssembly.Memory;
  private readonly places: readonly Place[];
  private readonly scratch: {
    maps: number;
    pixel: number;
    H: number;
    g: number;
    own: number;
    focals: number;
    panel: number;
    end: number;
  };

  constructor(photos: readonly PhotoSamples[]) {
    let at = PAGE;
    const take = (bytes: number): number => {
      const start = at;
      at += Math.ceil(bytes / 16) * 16;
      return start;
    };
    this.places = photos.map((photo) => ({
      photo,
      samples: take(photo.data.byteLength),
      offsets: take(photo.offsets.byteLength),
      depths: take(photo.count * 8),
      trial: take(photo.count * 8),
      n: Math.ceil((7 * photo.width + 1) / 4) * 4,
    }));
    const width = Math.max(2, ...photos.map((photo) => photo.width));
    const n = Math.ceil((7 * width + 1) / 4) * 4;
    this.scratch = {
      maps: take(12 * width * 8),
      pixel: take(4 * width * 8),
      H: take(n * n * 8),
      g: take(n * 8),
      own: take(28 * width * 8),
      focals: take(7 * width * 8),
      panel: take(PANEL_ROWS * n * 8),
      end: 0,
    };
    this.scratch.end = at;
    const { exports, memory } = loadKernel<Kernel>(
      new URL('./assembly/reduced.wasm', import.meta.url),
      new WebAssembly.Memory({ initial: Math.ceil(at / PAGE) }),
    );
    this.exports = exports;
    this.memory = memory;
    for (const { photo, samples, offsets } of this.places) {
      const inside = new Float32Array(memory.buffer, samples, photo.data.length);
      inside.set(photo.data);
      // Held once: 400 photos with 16 sightings each have 315 MB of them.
      photo.data = inside;
      new Float64Array(memory.buffer, offsets, photo.offsets.length).set(photo.offsets);
    }
  }

  /** Objective of a state on these photos, under smoothing: depths are minimised on the way and kept as a trial. */
  evaluate(state: AlignmentState, smoothing: number): number {
    let sum = 0;
    for (const { photo, samples, offsets, depths, trial } of this.places) {
      this.setMaps(state, photo);
      sum += this.exports.evaluate(
        samples,
        photo.count,
        photo.width,
        offsets,
        depths,
        trial,
        this.scratch.maps,
        state.focal[photo.view]!,
        smoothing,
        this.scratch.pixel,
      );
    }
    return sum;
  }

  /** The depths of the last `evaluate` become those that the next starts from and `assemble` uses. */
  accept(): void {
    const bytes = new Uint8Array(this.memory.buffer);
    for (const { photo, depths, trial } of this.places) bytes.copyWithin(depths, trial, trial + photo.count * 8);
  }

  /** Normal equations of one photo at the accepted depths. */
  assemble(index: number, state: AlignmentState, smoothing: number, beta: number): LocalEquations {
    const { photo, samples, offsets, depths, n } = this.places[index]!;
    const { maps, pixel, H, g, own, focals, panel } = this.scratch;
    const { buffer } = this.memory;
    this.setMaps(state, photo);
    const equations = { H: new Float64Array(buffer, H, n * n), g: new Float64Array(buffer, g, n), n };
    equations.H.fill(0);
    equations.g.fill(0);
    new Float64Array(buffer, own, 28 * photo.width).fill(0);
    new Float64Array(buffer, focals, 7 * photo.width).fill(0);
    this.exports.assemble(
      samples,
      photo.count,
      photo.width,
      n,
      offsets,
      depths,
      maps,
      state.focal[photo.view]!,
      smoothing,
      beta,
      H,
      g,
      own,
      focals,
      panel,
      pixel,
    );
    return equations;
  }

  /** Accepted depths of one photo, [count]; 0 where nothing was seen. */
  depths(index: number): Float64Array {
    const { photo, depths } = this.places[index]!;
    return new Float64Array(this.memory.buffer, depths, photo.count);
  }

  /**
   * What the observations say about one photo's accepted depths.
   *
   * @param agrees distance over depth that counts as agreement
   */
  judge(
    index: number,
    state: AlignmentState,
    agrees: number,
  ): { objective: number; confidence: Float32Array; histogram: Float64Array; bins: number } {
    const { photo, samples, offsets, depths } = this.places[index]!;
    const bins = this.exports.BINS.value as number;
    const factors = this.scratch.end;
    const histogram = factors + photo.width * 8;
    const confidence = histogram + photo.width * bins * 8;
    const missing = Math.ceil((confidence + photo.count * 4 - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) this.memory.grow(missing);
    const { buffer } = this.memory;
    new Float64Array(buffer, factors, photo.width).set(photo.factors);
    new Float64Array(buffer, histogram, photo.width * bins).fill(0);
    this.setMaps(state, photo);
    const objective = this.exports.judge(
      samples,
      photo.count,
      photo.width,
      offsets,
      depths,
      this.scratch.maps,
      state.focal[photo.view]!,
      factors,
      agrees,
      confidence,
      histogram,
      this.scratch.pixel,
    );
    return {
      objective,
      confidence: new Float32Array(buffer, confidence, photo.count).slice(),
      histogram: new Float64Array(buffer, histogram, photo.width * bins),
      bins,
    };
  }

  private setMaps(state: AlignmentState, { view, targets, width }: PhotoSamples): void {
    const maps = new Float64Array(this.memory.buffer, this.scratch.maps, 12 * width).fill(0);
    const cameraFromWorld = invert(state.cameras[view]!);
    targets.forEach((observation, t) => {
      const map = rows(compose(cameraFromWorld, state.observations[observation]!));
      for (let i = 0; i < 12; i++) maps[i * width + t] = map[i]!;
    });
  }
}

/** A similarity as 3x4 with the scale inside, row-major [12]. */
function rows({ scale, rotation: R, translation: t }: Similarity): readonly number[] {
  return [
    scale * R[0]!,
    scale * R[1]!,
    scale * R[2]!,
    t[0]!,
    scale * R[3]!,
    scale * R[4]!,
    scale * R[5]!,
    t[1]!,
    scale * R[6]!,
    scale * R[7]!,
    scale * R[8]!,
    t[2]!,
  ];
}
