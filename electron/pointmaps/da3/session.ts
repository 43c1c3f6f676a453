import type { ViewCamera } from '../../../native-models/da3/camera-numbers.js';
import {
  normalisedImage,
  type DepthOutput,
  type GroupFeatures,
  type GroupNetwork,
  type PhotoTokens,
} from '../../../native-models/da3/network.js';
import type { PhotoReader, StageContext } from '../../geometry/stage.js';
import type { Observation, ObservedView, Pair, Photo, PhotoId, View } from '../../geometry/types.js';
import { invertRigid, multiply4 } from '../../numerics/linear.js';
import { median } from '../../numerics/median.js';
import { FeatureCache } from '../dust3r/features.js';
import type { EstimatorSession, PairOutcome } from '../estimator.js';
import { chooseGroups, type GroupOptions } from './groups.js';
import { viewLensKey } from '../resample.js';
import type { MeasuredDepths, SparseViews } from '../sparse-views.js';
import { networkCameras } from './cameras.js';
import { fitDepth, type FittedDepth } from './measured.js';
import { commonShape, readGroupView, viewShape, type ViewShape } from './view.js';

export interface GroupSessionOptions {
  longSide: number;
  patch: number;
  groups: GroupOptions;
  /** Says all that a photo's tokens depend on. */
  tokenKey: (photo: PhotoId, view: string) => string;
  storeTokens: boolean;
}

export interface GroupSessionInput {
  network: GroupNetwork;
  reader: PhotoReader;
  photos: readonly Photo[];
  pairs: readonly Pair[];
  sparse: SparseViews | undefined;
  options: GroupSessionOptions;
}

/** Tokens kept in memory: 700 photos of the Small network at 504x378, 350 of Base. */
const tokenMemory = 2 ** 30;

/** Where a depth map's residual against measured points is this large, its confidence is worth half. */
const DOUBT = 0.05;

/**
 * Looks at photos in groups that overlap. A group is planned under the pair of its first and last photos; its
 * observation holds all of its views, in the first one's frame. Where the sparse stage placed a group's photos, its
 * cameras are given to the network and its points decide the depth maps' scale; else the network's own cameras are used.
 */
export class GroupSession implements EstimatorSession {
  readonly plan: EstimatorSession['plan'];
  private readonly groups = new Map<string, number[]>();
  private readonly shapes: ViewShape[];
  private readonly views = new Map<number, Promise<View>>();
  private readonly tokens: FeatureCache;
  /** The network looks at one group at a time: the runtime uses all cores for one. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly input: GroupSessionInput) {
    const { photos, pairs, options } = input;
    const shapes = photos.map((photo) => viewShape(photo, options.longSide, options.patch));
    // Photos that only the network can place must have one shape to be looked at together.
    const measured = photos.every((_, k) => input.sparse?.piece(k) === 0);
    this.shapes = measured ? shapes : shapes.map(() => commonShape(shapes));
    this.tokens = new FeatureCache(tokenMemory, options.storeTokens);
    const groups = this.chooseGroups(pairs);
    for (const group of groups) this.groups.set(`${group[0]} ${group.at(-1)}`, group);
    const together = new Set(groups.flatMap((group) => group.flatMap((a) => group.map((b) => `${a} ${b}`))));
    this.plan = {
      observe: groups.map((group) => ({ a: group[0]!, b: group.at(-1)! })),
      rejected: pairs
        .filter(({ a, b }) => !together.has(`${a} ${b}`))
        .map((pair) => ({ pair, reason: 'not-needed', detail: 'its photos are in groups that others join' })),
    };
  }

  private chooseGroups(pairs: readonly Pair[]): number[][] {
    const { photos, sparse, options } = this.input;
    const allowed = new Set(pairs.map(({ a, b }) => `${Math.min(a, b)} ${Math.max(a, b)}`));
    // Without matches, photos that follow each other are taken to show the same.
    const tie = (a: number, b: number): number =>
      allowed.has(`${Math.min(a, b)} ${Math.max(a, b)}`) ? (sparse?.shared(a, b) ?? 0) + 1 / (1 + Math.abs(a - b)) : 0;
    const kinds = this.shapes.map(({ width, height }) => width * 100_000 + height);
    const all = photos.map((_, k) => k);
    const pieces = new Set(all.flatMap((k) => sparse?.piece(k) ?? []));
    const seen: number[] = [];
    const groups: number[][] = [];
    const choose = (members: number[]): void => {
      groups.push(...chooseGroups(members, tie, options.groups, kinds, seen));
      seen.push(...members);
    };
    // Placed photos first, piece by piece, so that no group of theirs has one whose camera is not known.
    for (const piece of [...pieces].sort((p, q) => p - q)) {
      seen.length = 0;
      choose(all.filter((k) => sparse!.piece(k) === piece));
    }
    seen.splice(0, seen.length, ...all.filter((k) => sparse?.piece(k) !== undefined));
    choose(all.filter((k) => sparse?.piece(k) === undefined));
    return groups;
  }

  view(index: number): Promise<View> {
    let found = this.views.get(index);
    if (!found) {
      const { reader, photos, options, sparse } = this.input;
      found = readGroupView(reader, photos[index]!, this.shapes[index]!, options.longSide, sparse?.lens(index));
      found.catch(() => this.views.delete(index));
      this.views.set(index, found);
    }
    return found;
  }

  focal(index: number): { pixels: number; k1: number } | undefined {
    const lens = this.input.sparse?.lens(index);
    return lens && { pixels: lens.focal, k1: lens.k1 };
  }

  private viewKey(index: number): string {
    const { width, height } = this.shapes[index]!;
    const lens = this.input.sparse?.lens(index);
    return `${width}x${height}${lens ? `,${viewLensKey(lens)}` : ''}`;
  }

  observationKey(pair: Pair): string {
    const group = this.groups.get(`${pair.a} ${pair.b}`);
    if (!group) return 'not planned';
    const { photos, sparse } = this.input;
    const members = group.map((k) => `${photos[k]!.id},${this.viewKey(k)}`);
    const poses = this.placed(group) ? sparse!.firstFromCamera(group).map((pose) => [...pose].join()) : [];
    return `group=${[...members, ...poses].join(';')}`;
  }

  /** Whether all of a group's photos were placed in one piece of the world. */
  private placed(group: readonly number[]): boolean {
    const piece = this.input.sparse?.piece(group[0]!);
    return piece !== undefined && group.every((k) => this.input.sparse!.piece(k) === piece);
  }

  observe(pair: Pair, context: StageContext): Promise<PairOutcome> {
    const group = this.groups.get(`${pair.a} ${pair.b}`);
    if (!group)
      return Promise.resolve({
        kind: 'rejected',
        reason: 'not-needed',
        detail: 'its photos are in groups that others join',
      });
    const outcome = this.turn.then(() => this.observeGroup(group, context));
    this.turn = outcome.catch(() => undefined);
    return outcome;
  }

  async close(): Promise<void> {
    await this.turn;
    this.views.clear();
    await this.input.network.close();
  }

  private async observeGroup(group: readonly number[], context: StageContext): Promise<PairOutcome> {
    const { network, sparse } = this.input;
    const tokens: PhotoTokens[] = [];
    for (const photo of group) {
      context.signal?.throwIfAborted();
      tokens.push(await this.tokensOf(photo, context));
    }
    context.signal?.throwIfAborted();
    const placed = this.placed(group);
    const focals = group.map((photo) => placed && sparse!.lens(photo)!.focal * this.perOriginal(photo));
    const given = placed ? sparse!.firstFromCamera(group) : undefined;
    // One camera says nothing of others: the network takes it from the picture.
    const cameras = given && group.length > 1 ? networkCameras(given, focals as number[]) : undefined;
    const features = await network.group(tokens, cameras);
    const depths: DepthOutput[] = [];
    for (let view = 0; view < group.length; view++) {
      context.signal?.throwIfAborted();
      depths.push(await network.depth(features, view));
    }
    const observation = given
      ? await this.measuredObservation(group, given, focals as number[], depths)
      : await this.networkObservation(group, features, depths);
    return { kind: 'observation', observation };
  }

  private perOriginal(photo: number): number {
    const { width, height } = this.input.photos[photo]!;
    return this.input.options.longSide / Math.max(width, height);
  }

  /** A photo's tokens, computed once. Kept as one array with the summary behind them. */
  private async tokensOf(photo: number, { store }: StageContext): Promise<PhotoTokens> {
    const { network, photos, options } = this.input;
    const key = options.tokenKey(photos[photo]!.id, this.viewKey(photo));
    const { width, height } = this.shapes[photo]!;
    const [rows, columns] = [height / options.patch, width / options.patch];
    const known = this.tokens.get(key, store);
    if (known) {
      const split = (rows * columns + 1) * known.width;
      const [tokens, summary] = [known.values.subarray(0, split), known.values.subarray(split)];
      return { rows, columns, width: known.width, tokens, summary };
    }
    const made = await network.photo(normalisedImage((await this.view(photo)).pixels), height, width);
    const values = new Float32Array(made.tokens.length + made.summary.length);
    values.set(made.tokens);
    values.set(made.summary, made.tokens.length);
    this.tokens.put(key, { values, rows: values.length / made.width, columns: 1, width: made.width }, store);
    return made;
  }

  /** With cameras of the sparse stage: depth maps in its unit, scaled by its points. */
  private async measuredObservation(
    group: readonly number[],
    firstFromCamera: readonly Float64Array[],
    focals: readonly number[],
    depths: readonly DepthOutput[],
  ): Promise<Observation> {
    const measured = group.map((photo, view) => this.input.sparse!.measured(photo, this.shapes[photo]!, focals[view]!));
    const fits = measured.map((points, view) => {
      const { depth, width, height } = depths[view]!;
      return fitDepth(depth, width, height, points);
    });
    const usual = usualScale(depths, fits);
    const views: ObservedView[] = [];
    for (const [view, photo] of group.entries()) {
      const fit = fits[view];
      const { depth, confidence } = depths[view]!;
      const scaled = fit?.depth ?? depth.map((value) => value * usual);
      const trust = fit ? 1 / (1 + (fit.residual / DOUBT) ** 2) : 0.5;
      const known = await this.view(photo);
      const points = pointsOf(known, scaled, focals[view]!, firstFromCamera[view]!);
      const trusted = confidence.map((value) => 1 + (value - 1) * trust);
      views.push(observed(known, points, trusted, unmeasured(known, measured[view]!, fit?.kept ?? [])));
    }
    return { views, focal: [...focals], firstFromCamera: [...firstFromCamera] };
  }

  /** With the network's own cameras, in its own unit. */
  private async networkObservation(
    group: readonly number[],
    { cameras }: GroupFeatures,
    depths: readonly DepthOutput[],
  ): Promise<Observation> {
    const firstFromWorld = invertRigid(cameras[0]!.worldFromCamera);
    const poses = cameras.map(({ worldFromCamera }) => multiply4(firstFromWorld, worldFromCamera));
    const long = this.input.options.longSide;
    const focals = cameras.map(({ fx, fy }: ViewCamera) => plausibleFocal(Math.sqrt(fx * fy), long));
    const views: ObservedView[] = [];
    for (const [view, photo] of group.entries()) {
      const known = await this.view(photo);
      const { depth, confidence } = depths[view]!;
      const nothing = new Uint8Array(confidence.length).fill(1);
      views.push(observed(known, pointsOf(known, depth, focals[view]!, poses[view]!), confidence, nothing));
    }
    return { views, focal: focals, firstFromCamera: poses };
  }
}

/** The scale of the views that were fitted, for those in which nothing is measured; 1 where none was. */
function usualScale(depths: readonly DepthOutput[], fits: readonly (FittedDepth | undefined)[]): number {
  const ratios = fits.flatMap((fit, view) => {
    const { depth } = depths[view]!;
    const middle = depth.length >> 1;
    return fit ? [fit.depth[middle]! / depth[middle]!] : [];
  });
  return median(ratios) ?? 1;
}

/** Focals over the long side that a camera has; a network that sees none of it may give anything. */
const FOCALS = { least: 0.2, most: 12, usual: 1.2 };

function plausibleFocal(focal: number, long: number): number {
  const ratio = focal / long;
  return ratio >= FOCALS.least && ratio <= FOCALS.most ? focal : FOCALS.usual * long;
}

/** [height, width, 3]: depth along z of a view's pixels, in the frame that `pose` leads to. */
function pointsOf({ width, height }: View, depth: Float32Array, focal: number, pose: Float64Array): Float32Array {
  const points = new Float32Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const p = y * width + x;
      const z = depth[p]!;
      const [u, v] = [((x - width / 2) / focal) * z, ((y - height / 2) / focal) * z];
      for (let row = 0; row < 3; row++)
        points[3 * p + row] = pose[4 * row]! * u + pose[4 * row + 1]! * v + pose[4 * row + 2]! * z + pose[4 * row + 3]!;
    }
  }
  return points;
}

/** How far a measured point speaks for the pixels around it, of the view's long side. */
const REACH = 1 / 60;

/** 1 for every pixel that has no measured point near, among those that agree with the depth map. */
function unmeasured({ width, height }: View, { at }: MeasuredDepths, kept: readonly number[]): Uint8Array {
  const inferred = new Uint8Array(width * height).fill(1);
  const reach = REACH * Math.max(width, height);
  for (const index of kept) {
    const [x, y] = [at[2 * index]!, at[2 * index + 1]!];
    for (let row = Math.max(0, Math.ceil(y - reach)); row <= Math.min(height - 1, y + reach); row++) {
      const half = Math.sqrt(reach * reach - (row - y) ** 2);
      const [from, to] = [Math.max(0, Math.ceil(x - half)), Math.min(width - 1, Math.floor(x + half))];
      if (from <= to) inferred.fill(0, row * width + from, row * width + to + 1);
    }
  }
  return inferred;
}

function observed(view: View, points: Float32Array, confidence: Float32Array, inferred: Uint8Array): ObservedView {
  const { photo, width, height, originalFromView } = view;
  return { photo, width, height, originalFromView, points, confidence, inferred };
}
