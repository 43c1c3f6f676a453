import { agreement, isTelling } from './agreement.js';
import type { Lens, PlacedCamera } from './bundle.js';
import { cutLenses, type LensPicture } from './cuts.js';
import type { StructureLook } from './look.js';
import { mergePieces } from './merge.js';
import type { FisheyeTerms } from '../geometry/sparse-model.js';
import type { Overlaid } from './overlaid.js';
import { chooseMirrored } from './mirror.js';
import { poseHolds, type PosePrior } from './pose-prior.js';
import { Reconstruction, trackTable, type FreeLenses, type TrackTable } from './reconstruction.js';
import { placeByPairs } from './pair-placement.js';
import { resect } from './resection.js';
import type { Rigs } from './rigs.js';
import type { CameraPose } from './solvers/p3p.js';
import type { Track } from './tracks.js';

export interface StructureOptions {
  /** A pixel of the picture that features are found on, in long sides: the unit of every limit below. */
  pixel: number;
  /** Largest error of a sighting while cameras are still coming, and at the end, pixels. */
  limit: number;
  lastLimit: number;
  /** A photo is placed by at least so many points, and so much evidence (evidence.ts). */
  leastInliers: number;
  leastEvidence: number;
  /** The same for points that tell how far a photo is from one that its pose to is known; so many of them must stay. */
  leastLengthEvidence: number;
  leastTies: number;
  /** Below this number of points a placed photo is called weak. */
  strongInliers: number;
  /** A photo is placed where this share of its pairs agree (agreement.ts), while there are such photos. */
  leastAgreement: number;
  /** Where this share of all pairs agree, no other start is tried once every photo is placed. */
  fullAgreement: number;
  /** Pairs that growth may begin with, while photos are left over. */
  starts: number;
  /** False for a trial of lenses: the structure is not asked for their last terms, nor whether it is inside out. */
  isFinal: boolean;
  /** A lens that so many photos have may get a second radial term and a principal point beside the middle. */
  lensPhotos: number;
  /** Share of the cost that the second radial term, and the principal point, must explain. */
  secondGain: number;
  centreGain: number;
  /** Least distance of a principal point from the middle, long sides: cameras are built to within this. */
  leastAside: number;
}

export const STRUCTURE_DEFAULTS: StructureOptions = {
  pixel: 1 / 1600,
  limit: 6,
  lastLimit: 3,
  leastInliers: 10,
  leastEvidence: 15,
  leastLengthEvidence: 3,
  leastTies: 4,
  strongInliers: 30,
  leastAgreement: 0.5,
  fullAgreement: 0.9,
  starts: 3,
  isFinal: true,
  lensPhotos: 3,
  secondGain: 0.2,
  centreGain: 0.025,
  leastAside: 0.01,
};

export interface VerifiedPair {
  a: number;
  b: number;
  rotation: Float64Array;
  translation: Float64Array;
  inlierCount: number;
  parallax: number;
  rotationShare: number;
}

export interface StructureInput {
  photoCount: number;
  /** Index into lenses, per photo. */
  lensOf: readonly number[];
  /** Changed in place. */
  lenses: Lens[];
  /** Per lens; without, no lens is taken for one of photos that were cut. */
  pictures?: readonly LensPicture[] | undefined;
  tracks: readonly Track[];
  /** Position of a feature, long sides relative to the photo's centre. */
  position(photo: number, feature: number): [number, number];
  pairs: readonly VerifiedPair[];
  /** Photos that are views of one picture, and so share a position. */
  rigs?: Rigs | undefined;
  /** Cameras to begin with, one map per piece; those that are fixed stay where they are. */
  known?: readonly ReadonlyMap<number, PlacedCamera>[] | undefined;
  /** By photo, poses that were known beforehand, which weigh where the photos tell little. */
  priors?: ReadonlyMap<number, PosePrior> | undefined;
  onPlaced?: ((placed: number) => void) | undefined;
  /** Told after each photo, once its points are there. @param look what there is by now, of at most so many points */
  onGrown?: ((placed: number, look: (most: number) => StructureLook) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** As in StageContext. */
  pass?: (() => Promise<void>) | undefined;
}

/** One connected piece: cameras that see common points, in a world of its own. */
export interface Piece {
  cameras: Map<number, PlacedCamera>;
  points: StructurePoint[];
  /** Photos placed by few points. */
  weak: Set<number>;
  /** How much of what the photos saw is explained; compares solutions of one set. */
  support: number;
  /** Cost of the piece turned inside out over its own (mirror.ts); undefined where perspective tells them apart. */
  mirrored?: number | undefined;
  /** Photos at nearly one place, with what contradicts that they show the same (overlaid.ts); undefined where nobody asked. */
  overlaid?: Overlaid[] | undefined;
  /** Per lens, what fisheye it is (fisheye.ts); undefined where it is none, and where nobody asked. */
  fisheyes?: (FisheyeTerms | undefined)[] | undefined;
  /** The same, of points that each should have seen (unseen.ts). */
  unseen?: Overlaid[] | undefined;
}

/** A scene point and the sightings of it that hold. */
export interface StructurePoint {
  /** [3], in the piece's world. */
  position: Float64Array;
  photos: number[];
  features: number[];
}

/**
 * Structure from motion, photo by photo (Schoenberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016): from the
 * pair with most promise, then always the photo that sees known points best spread; bundle adjustment round the new
 * photo after each, of everything when the piece has grown by a tenth. Of several starts the best is kept while photos
 * are left over; pieces that see common points are joined.
 */
export async function buildStructure(
  input: StructureInput,
  options: StructureOptions = STRUCTURE_DEFAULTS,
): Promise<Piece[]> {
  const table = trackTable(input.tracks, input.photoCount, input.position);
  const free = new Set(Array.from({ length: input.photoCount }, (_, k) => k));
  let grown: Growth[] = [];
  /** Lenses that a placed photo has: later pieces take them as they are. */
  const solved = new Set<number>();
  for (const cameras of input.known ?? []) {
    const piece = new Growth(input, options, table, free);
    await piece.resume(cameras);
    grown.push(piece);
  }
  while (free.size > 1) {
    const best = await bestStart(
      { ...input, lenses: input.lenses.map((lens, k) => (solved.has(k) ? { ...lens, fixed: true } : lens)) },
      options,
      table,
      free,
    );
    if (!best) break;
    grown.push(best);
    best.settleLenses(input.lenses);
    for (const [photo, { lens }] of best.scene.cameras) {
      free.delete(photo);
      solved.add(lens);
    }
  }
  // A merge would move cameras that must stay.
  const isHeld = ({ scene }: Growth) => [...scene.cameras.values()].filter(({ fixed }) => fixed).length > 1;
  if (!grown.some(isHeld)) grown = await joinAll(grown);
  // A lens that a later piece has too is that of the largest.
  grown.sort((p, q) => q.scene.cameras.size - p.scene.cameras.size);
  const changed = (options.isFinal && (await grown[0]?.refineLenses())) || new Set<number>();
  for (const growth of grown.slice(1)) growth.followLenses(changed);
  const pieces = grown.map((growth, k) => {
    // Of a trial nobody asks.
    const isAsked = options.isFinal && !isHeld(growth);
    // The lenses are the largest piece's: the others must not change them.
    const mirrored = isAsked ? chooseMirrored(growth.scene, k === 0 ? ALL_FREE : LENSES_HELD) : undefined;
    // The last adjustment of all: another would let go again.
    if (isAsked && input.priors) growth.lean(input.priors);
    return { ...growth.result(), ...(isAsked && { mirrored }) };
  });
  return pieces.sort((a, b) => b.cameras.size - a.cameras.size);
}

async function bestStart(
  input: StructureInput,
  options: StructureOptions,
  table: TrackTable,
  free: ReadonlySet<number>,
): Promise<Growth | undefined> {
  const seeds = input.pairs
    .filter(({ a, b, rotationShare, parallax }) => free.has(a) && free.has(b) && rotationShare < 0.7 && parallax > 0.8)
    .sort((p, q) => seedScore(q) - seedScore(p));
  let best: { growth: Growth; worth: number } | undefined;
  let tries = 0;
  const used = new Set<string>();
  for (const seed of seeds) {
    if (tries >= options.starts) break;
    // A start inside what another start already explains would mostly find the same again.
    if (best?.growth.scene.cameras.has(seed.a) && best.growth.scene.cameras.has(seed.b) && tries > 0) {
      if (used.has(`${seed.a}`) || used.has(`${seed.b}`)) continue;
    }
    const lenses = input.lenses.map((lens) => ({ ...lens }));
    const growth = new Growth({ ...input, lenses }, options, table, new Set(free));
    if (!(await growth.start(seed))) continue;
    tries++;
    used.add(`${seed.a}`).add(`${seed.b}`);
    const agreed = growth.agreement();
    const worth = growth.support() * agreed;
    if (!best || worth > best.worth) best = { growth, worth };
    if (growth.scene.cameras.size === free.size && agreed > options.fullAgreement) break;
  }
  return best?.growth;
}

const seedScore = ({ inlierCount, parallax }: VerifiedPair): number =>
  Math.min(inlierCount, 400) * Math.min(parallax, 12) ** 1.2;

async function joinAll(grown: Growth[]): Promise<Growth[]> {
  const rest = [...grown].sort((a, b) => b.scene.cameras.size - a.scene.cameras.size);
  const joined: Growth[] = [];
  for (let main = rest.shift(); main; main = rest.shift()) {
    for (let k = 0; k < rest.length;) {
      if (await main.absorb(rest[k]!)) {
        rest.splice(k, 1);
        k = 0;
      } else k++;
    }
    joined.push(main);
  }
  return joined;
}

/** Adjustments while photos are still coming end at a step that lowers the cost by less than this share. */
const WHILE_GROWING = 1e-3;
/** An adjustment of everything that is nearly done. */
const ALL_FREE: FreeLenses = { focal: true, distortion: true, iterations: 40, converged: 1e-6 };
/** Rounds of triangulating again, and the share of the sightings that must come or go for another. */
const RECOVERING_ROUNDS = 5;
const RECOVERED = 0.005;
const LENSES_HELD: FreeLenses = { ...ALL_FREE, focal: false, distortion: false };

/** Cells a side. */
const OUTLOOK_GRIDS = [2, 4, 8] as const;

/** What a photo that is not placed sees of the known points. */
interface Outlook {
  score: number;
  count: number;
  /** Reconstruction.changes when it was counted. */
  changes: number;
}

class Growth {
  readonly scene: Reconstruction;
  /** Cameras at the last adjustment of everything. */
  private adjusted = 0;
  private readonly outlooks: (Outlook | undefined)[] = [];
  /** Photos that their pairs were asked to place, each once. */
  private readonly asked = new Set<number>();

  constructor(
    private readonly input: StructureInput,
    private readonly options: StructureOptions,
    private readonly table: TrackTable,
    private readonly free: Set<number>,
  ) {
    this.scene = new Reconstruction(table, input.lenses, options.pixel);
  }

  private get limit(): number {
    return this.options.limit * this.options.pixel;
  }

  support(): number {
    return this.scene.support(this.options.lastLimit * this.options.pixel);
  }

  /** How far the pairs agree with the placed cameras. */
  agreement(): number {
    return agreement(this.input.pairs, this.scene.cameras);
  }

  result(): Piece {
    const points: StructurePoint[] = [];
    for (let track = 0; track < this.scene.has.length; track++) {
      if (!this.scene.has[track]) continue;
      const held = this.scene.held(track);
      points.push({
        position: this.scene.point(track).slice(),
        photos: held.map((s) => this.table.photo[s]!),
        features: held.map((s) => this.table.feature[s]!),
      });
    }
    return { cameras: this.scene.cameras, points, weak: this.scene.weak, support: this.support() };
  }

  private look(most: number): StructureLook {
    const known = Array.from(this.scene.has.keys()).filter((track) => this.scene.has[track] === 1);
    const step = Math.max(1, Math.ceil(known.length / most));
    const shown = known.flatMap((track, k) => {
      const first = k % step === 0 ? this.scene.held(track)[0] : undefined;
      return first === undefined ? [] : [{ track, first }];
    });
    return {
      lenses: this.scene.lenses.map((lens) => ({ ...lens })),
      cameras: this.scene.cameras,
      positions: Float64Array.from(shown.flatMap(({ track }) => [...this.scene.point(track)])),
      photo: Uint32Array.from(shown, ({ first }) => this.table.photo[first]!),
      feature: Uint32Array.from(shown, ({ first }) => this.table.feature[first]!),
    };
  }

  /** From now on the lenses are those of the whole set, which take over what this piece found. */
  settleLenses(lenses: Lens[]): void {
    lenses.forEach((lens, k) => {
      const { focal, k1, k2, cx, cy } = this.scene.lenses[k]!;
      Object.assign(lens, { focal, k1, k2, cx, cy });
      this.scene.lenses[k] = lens;
    });
  }

  async resume(known: ReadonlyMap<number, PlacedCamera>): Promise<void> {
    for (const [photo, camera] of known) if (!this.scene.cameras.has(photo)) this.place(photo, { ...camera });
    // Views of a rig that were known themselves stay what they were, to the last bit.
    for (const [photo, camera] of known) Object.assign(this.scene.cameras.get(photo)!, camera);
    this.scene.retriangulate(this.limit);
    await this.grow();
  }

  async start(seed: VerifiedPair): Promise<boolean> {
    const identity = Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1);
    const lensOf = (photo: number) => this.input.lensOf[photo]!;
    const first = { lens: lensOf(seed.a), rotation: identity, translation: new Float64Array(3), fixed: true };
    const { rotation, translation } = seed;
    this.place(seed.a, first);
    this.place(seed.b, { lens: lensOf(seed.b), rotation, translation, fixed: false });
    this.scene.retriangulate(1.3 * this.limit);
    if (this.scene.pointCount < this.options.leastInliers) return false;
    this.scene.adjust({ focal: false, distortion: false, iterations: 15 });
    this.scene.prune(this.limit);
    if (this.scene.pointCount < this.options.leastInliers) return false;
    await this.grow();
    return true;
  }

  /** With all views of its rig. */
  private place(photo: number, camera: PlacedCamera): void {
    const placed = this.input.rigs?.place(photo, camera, this.input.lensOf) ?? new Map([[photo, camera]]);
    for (const [each, at] of placed) {
      this.scene.cameras.set(each, at);
      this.free.delete(each);
    }
    this.input.onPlaced?.(this.scene.cameras.size);
  }

  /** The photo and the other views of its rig. */
  private together(photo: number): readonly number[] {
    return this.input.rigs?.views(photo) ?? [photo];
  }

  private heldBy(photo: number): number {
    return this.together(photo).reduce((sum, view) => sum + this.scene.heldBy(view), 0);
  }

  private takeOut(photo: number): void {
    for (const view of this.together(photo)) {
      this.scene.remove(view);
      this.free.add(view);
    }
  }

  private async grow(): Promise<void> {
    await this.addPhotos();
    await this.settle();
    // The lens is known now, and more points: who failed before may be placed.
    if (await this.addPhotos()) await this.settle();
    while (this.addByPairs()) {
      await this.addPhotos();
      await this.settle();
    }
    if (await this.addPhotos(true)) await this.settle();
  }

  /** One photo that its pairs place, where known points are too few: the one that most points agree about. */
  private addByPairs(): boolean {
    const found = [...this.free].flatMap((photo) => {
      if (this.asked.has(photo) || this.outlook(photo).count < this.options.leastTies) return [];
      const lens = this.input.lensOf[photo]!;
      // A lens that no placed photo has is not known well enough for a pair's pose.
      if (this.lensChoices(lens).length > 1) return [];
      const pose = placeByPairs(
        photo,
        this.pairsWithPlaced(photo).filter(isTelling),
        (placed) => this.scene.cameras.get(placed)!,
        this.scene.seenBy(photo),
        this.input.lenses[lens]!,
        { limit: 2 * this.limit, leastEvidence: this.options.leastLengthEvidence },
      );
      return pose && this.agreementOf(photo, pose) >= this.options.leastAgreement ? [{ photo, pose }] : [];
    });
    found.sort((p, q) => q.pose.evidence - p.pose.evidence);
    return found.some(({ photo, pose }) => {
      this.asked.add(photo);
      return this.take(photo, pose, 2) && this.isTied(photo);
    });
  }

  private pairsWithPlaced(photo: number): VerifiedPair[] {
    const { cameras } = this.scene;
    return this.input.pairs.filter(({ a, b }) => (a === photo && cameras.has(b)) || (b === photo && cameras.has(a)));
  }

  /** Whether enough of its points are seen by two others as well; taken out otherwise, for how far it is nobody knows. */
  private isTied(photo: number): boolean {
    if (this.scene.tiesOf(photo) >= this.options.leastTies) return true;
    this.takeOut(photo);
    return false;
  }

  /** How far the pairs with placed photos agree that a photo was taken there. */
  private agreementOf(photo: number, pose: Pick<PlacedCamera, 'rotation' | 'translation'>): number {
    const own = this.input.pairs.filter(({ a, b }) => a === photo || b === photo);
    return agreement(own, new Map<number, typeof pose>([...this.scene.cameras, [photo, pose]]));
  }

  /** @param doubtful also photos that most of their pairs say lie elsewhere */
  private async addPhotos(doubtful = false): Promise<number> {
    const failed = new Set<number>();
    let added = 0;
    for (;;) {
      await this.breathe();
      this.input.onGrown?.(this.scene.cameras.size, (most) => this.look(most));
      const next = this.nextPhoto(failed);
      if (next === undefined) return added;
      if (!this.add(next, doubtful)) {
        failed.add(next);
        continue;
      }
      added++;
      failed.clear();
    }
  }

  private add(photo: number, doubtful: boolean): boolean {
    const lens = this.input.lensOf[photo]!;
    const seen = this.scene.seenBy(photo);
    const found = resect(seen, this.lensChoices(lens), {
      limit: 8 * this.options.pixel,
      hypotheses: 300,
      seed: photo + 1,
    });
    if (!found || found.inlierCount < this.options.leastInliers || found.evidence < this.options.leastEvidence)
      return false;
    // A pattern that repeats may offer more points than the right place, but seldom more pairs.
    if (!doubtful && this.agreementOf(photo, found) < this.options.leastAgreement) return false;
    this.input.lenses[lens]!.focal = found.focal;
    return this.take(photo, found);
  }

  /**
   * Places a photo and adjusts what is round it; false, and as it was, where too few points hold then.
   *
   * @param slack its sightings may be off by so many times the limit before the adjustment
   */
  private take(photo: number, { rotation, translation }: CameraPose, slack = 1): boolean {
    const lens = this.input.lensOf[photo]!;
    this.place(photo, { lens, rotation, translation, fixed: false });
    const views = this.together(photo);
    for (const view of views) this.scene.extend(view, slack * this.limit);
    const near = new Set([
      ...views,
      ...this.scene
        .neighbours(photo)
        .slice(0, 5)
        .flatMap((each) => this.together(each)),
    ]);
    const free = {
      focal: this.scene.cameras.size >= 3,
      distortion: this.scene.cameras.size >= 4,
      iterations: 8,
      converged: WHILE_GROWING,
    };
    const due = this.scene.cameras.size >= 1.1 * this.adjusted;
    if (due) {
      this.adjusted = this.scene.cameras.size;
      this.scene.adjust({ ...free, iterations: 12 });
    } else this.scene.adjust(free, near);
    this.scene.prune(this.limit, due ? undefined : near);
    // What the adjustment left of it decides.
    if (this.heldBy(photo) < this.options.leastInliers) {
      this.takeOut(photo);
      return false;
    }
    return true;
  }

  /** What a photo's lens may be: known from EXIF or from placed photos, or any. */
  private lensChoices(index: number): Lens[] {
    const lens = this.input.lenses[index]!;
    const shared = [...this.scene.cameras.values()].some((camera) => camera.lens === index);
    if (shared || lens.fixed || (lens.prior && lens.prior.sigma < 0.2)) return [lens];
    const factors = [1, 0.8, 1.25, 0.64, 1.6, 0.5, 2, 0.4, 2.6, 3.4];
    return factors.map((factor) => ({ ...lens, focal: lens.focal * factor, k1: 0 }));
  }

  /** Everything judged again under the lens as it is known now, limits tightening. */
  private async settle(): Promise<void> {
    const held = [...this.scene.cameras.values()].every(({ fixed }) => fixed);
    const last = this.options.lastLimit * this.options.pixel;
    // Where every camera was known before, there is nothing to tighten towards.
    for (const limit of held ? [last] : [this.limit, last, last]) {
      await this.breathe();
      this.scene.retriangulate(limit);
      const several = this.scene.cameras.size >= 3;
      this.scene.adjust({ focal: several, distortion: several, iterations: 60 });
      this.scene.prune(limit);
    }
    this.adjusted = this.scene.cameras.size;
    this.judge();
  }

  /** Photos that lost their points are taken out, those with few are marked. */
  private judge(): void {
    for (const [photo, { fixed }] of [...this.scene.cameras]) {
      if (!this.scene.cameras.has(photo)) continue;
      const held = this.heldBy(photo);
      const left = this.scene.cameras.size - this.together(photo).length;
      if (held < this.options.leastInliers && !fixed && left > 1) this.takeOut(photo);
      else if (held < this.options.strongInliers || this.hangsBy(photo)) this.scene.weak.add(photo);
      else this.scene.weak.delete(photo);
    }
  }

  /** Whether few points alone tell how far a photo is from the one that it was placed by. */
  private hangsBy(photo: number): boolean {
    return this.asked.has(photo) && this.scene.tiesOf(photo) < this.options.leastInliers;
  }

  /**
   * Second radial term and principal point of the lenses that enough photos have. Each is taken where it explains a good
   * share of what was left and is large enough to matter. A principal point explains a little of errors of any kind, bent
   * edges above all, so it must explain that share beside a second radial term as well: where the middle is known to be
   * right it explains at most 1.3 % in that way, where it lies aside 4 %. The middle of photos that were cut is not known
   * (cuts.ts): theirs is found without a test, however few they are.
   *
   * @returns lenses that changed
   */
  async refineLenses(): Promise<Set<number>> {
    const { cameras, lenses } = this.scene;
    const { lensPhotos, secondGain, centreGain } = this.options;
    const photosOf = (index: number) => [...cameras.values()].filter(({ lens }) => lens === index).length;
    const free = new Set(lenses.map((_, k) => k).filter((k) => !lenses[k]!.fixed && photosOf(k) >= lensPhotos));
    const cut = new Set(
      [...cutLenses(lenses, this.input.pictures ?? []).keys()].filter((k) => !lenses[k]!.fixed && photosOf(k) > 0),
    );
    if (free.size === 0 && cut.size === 0) return new Set();
    if (cut.size > 0) await this.recover({ ...ALL_FREE, centre: cut });
    const plain: FreeLenses = { ...ALL_FREE, scale: this.scene.noiseScale(), centre: cut };
    const fit = async (terms: FreeLenses): Promise<{ cost: number; restore: () => void }> => {
      await this.breathe();
      const cost = this.scene.adjust(terms);
      return { cost, restore: this.scene.snapshot() };
    };
    let base = await fit(plain);
    let centre = cut;
    // A principal point beside the middle looks like bent edges, but not the other way round.
    const all = new Set([...free, ...cut]);
    let aside = await fit({ ...plain, centre: all });
    if (aside.cost < (1 - centreGain) * base.cost && this.isAside(free)) {
      base.restore();
      const bent = await fit({ ...plain, second: free });
      const both = await fit({ ...plain, second: free, centre: all });
      if (both.cost < (1 - centreGain) * bent.cost) centre = all;
    }
    // Of several lenses, those whose middle explains too little beside the others' keep it: moved together, all of them
    // explain nearly the same, and only how photos of one lens are turned to those of another is wrong.
    const most = () => [...centre].filter((k) => !cut.has(k)).sort((p, q) => this.aside(p) - this.aside(q));
    if (centre === all) aside.restore();
    for (const lens of all.size > 1 && centre === all ? most() : []) {
      const others = new Set([...centre].filter((k) => k !== lens));
      aside.restore();
      Object.assign(lenses[lens]!, { cx: 0, cy: 0 });
      const held = await fit({ ...plain, centre: others });
      if (aside.cost < (1 - centreGain) * held.cost) continue;
      [aside, centre] = [held, others];
    }
    if (centre !== cut) base = aside;
    base.restore();
    const terms: FreeLenses = { ...plain, centre };
    const bent = free.size > 0 ? await fit({ ...terms, second: free }) : undefined;
    const second = bent && bent.cost < (1 - secondGain) * base.cost ? free : undefined;
    if (!second) base.restore();
    if (!second && centre.size === 0) return new Set();
    await this.recover({ ...terms, second });
    return all;
  }

  /**
   * Points that were lost under an earlier lens, made again under the one that was found since, round by round while they
   * change the points by a hundredth (Schoenberger 2016, section 4.4).
   */
  private async recover(terms: FreeLenses): Promise<void> {
    const limit = this.options.lastLimit * this.options.pixel;
    this.scene.prune(limit);
    for (let round = 0; round < RECOVERING_ROUNDS; round++) {
      await this.breathe();
      const before = this.scene.sightingCount;
      this.scene.retriangulate(limit);
      this.scene.adjust({ ...terms, scale: this.scene.noiseScale() });
      this.scene.prune(limit);
      if (Math.abs(this.scene.sightingCount - before) < RECOVERED * before) break;
    }
  }

  /** Whether the principal point of one of these lenses is far enough from the middle to matter. */
  private isAside(lenses: ReadonlySet<number>): boolean {
    return [...lenses].some((k) => this.aside(k) >= this.options.leastAside);
  }

  /** How far its principal point lies from the middle, long sides. */
  private aside(lens: number): number {
    const { cx = 0, cy = 0 } = this.scene.lenses[lens]!;
    return Math.hypot(cx, cy);
  }

  /** Poses and points under lenses that another piece has changed. */
  followLenses(changed: ReadonlySet<number>): void {
    if (![...this.scene.cameras.values()].some(({ lens }) => changed.has(lens))) return;
    this.scene.adjust({ focal: false, distortion: false, iterations: 20 });
    this.scene.prune(this.options.lastLimit * this.options.pixel);
  }

  /** Draws cameras to where they were known to be, as far as the photos let it. */
  lean(priors: ReadonlyMap<number, PosePrior>): void {
    const holds = poseHolds(this.scene.cameras, priors);
    if (holds.size === 0) return;
    // What is known holds the world; the camera that held it until now may be drawn as the others are.
    const held = [...this.scene.cameras.values()].filter(({ fixed }) => fixed);
    for (const camera of held) camera.fixed = false;
    this.scene.adjust({ ...ALL_FREE, holds });
    for (const camera of held) camera.fixed = true;
    this.scene.prune(this.options.lastLimit * this.options.pixel);
  }

  /** Takes over another piece where both see the same points. */
  async absorb(other: Growth): Promise<boolean> {
    const before = this.support() + other.support();
    const undo = this.scene.snapshot();
    const between = this.input.pairs.filter(({ a, b }) => this.scene.cameras.has(a) !== this.scene.cameras.has(b));
    if (!mergePieces(this.scene, other.scene, this.limit)) return false;
    await this.settle();
    await this.addPhotos();
    // Joined wrongly, both lose what fitted before, or the pairs between them say otherwise.
    const isAgreed = agreement(between, this.scene.cameras) >= this.options.leastAgreement;
    if (isAgreed && this.support() >= 0.97 * before) return true;
    undo();
    return false;
  }

  /** Lets progress and cancelling through between steps of a fraction of a second. */
  private async breathe(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await this.input.pass?.();
    this.input.signal?.throwIfAborted();
  }

  /** The photo that sees known points in most parts of its picture; ties by the number of points. */
  private nextPhoto(failed: ReadonlySet<number>): number | undefined {
    let best: { photo: number; score: number } | undefined;
    for (const photo of this.free) {
      if (failed.has(photo)) continue;
      const { score, count } = this.outlook(photo);
      if (count >= this.options.leastInliers && (!best || score > best.score)) best = { photo, score };
    }
    return best?.photo;
  }

  /**
   * How well a photo sees known points, at three finenesses of its picture. Counted again only when some of them came or
   * went: of 400 photos in a row, a dozen after each that is placed.
   */
  private outlook(photo: number): Outlook {
    const changes = this.scene.changes[photo]!;
    const kept = this.outlooks[photo];
    if (kept?.changes === changes) return kept;
    const cells = OUTLOOK_GRIDS.map((side) => new Uint8Array(side * side));
    let [score, count] = [0, 0];
    for (const s of this.table.ofPhoto[photo]!) {
      if (!this.scene.has[this.table.track[s]!]) continue;
      count++;
      const [x, y] = [this.table.at[2 * s]! + 0.5, this.table.at[2 * s + 1]! + 0.5];
      OUTLOOK_GRIDS.forEach((side, level) => {
        const [i, j] = [x, y].map((value) => Math.max(0, Math.min(side - 1, Math.floor(value * side))));
        const cell = i! * side + j!;
        if (cells[level]![cell]) return;
        cells[level]![cell] = 1;
        score += side ** 2;
      });
    }
    const outlook = { score: score + 1e-3 * count, count, changes };
    this.outlooks[photo] = outlook;
    return outlook;
  }
}
