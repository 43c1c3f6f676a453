import { sightId } from '../geometry/photo.js';
import type { Rejection } from '../geometry/stage.js';
import type { Pair, Photo } from '../geometry/types.js';
import type { Executor } from '../compute/execution.js';
import type { Features } from '../features/features.js';
import { alikePairs, furtherPairs, joiningPairs, PairSet, type Similar } from '../pairs/propose.js';
import { decodeWords, encodeWords, type PhotoWords } from '../retrieval/vocabulary.js';
import { FEATURE_SIDE, fitAll, matchAll, type Candidate, type SparseContext } from './correspondence.js';
import type { Piece } from './structure.js';
import type { Request } from './worker.js';

/** How a set too large to look at every pair is looked at. */
export interface RetrievalContext {
  /** resources/vocabulary/words.bin, in shared memory. */
  vocabulary: Uint8Array;
  /** Pairs that the user switched off. */
  refused: readonly Pair[];
}

/** Rounds between pieces: after the second nothing joins any more. */
export const JOINING_ROUNDS = 2;

interface RoundsInput {
  photos: readonly Photo[];
  features: readonly Features[];
  position: (photo: number, feature: number) => [number, number];
  pool: Executor;
  context: SparseContext;
  rejected: Rejection[];
}

/** Looks at pairs in rounds: those given, those that retrieval proposes, and those that follow from what holds. */
export class Rounds {
  private readonly tried: PairSet;
  private similar: Similar = [];

  constructor(private readonly input: RoundsInput) {
    this.tried = new PairSet(input.context.retrieval?.refused);
  }

  /** The given pairs; with retrieval also photos that look alike, and the neighbours of neighbours of all these. */
  async first(given: readonly Pair[]): Promise<Candidate[]> {
    const { context, photos } = this.input;
    if (!context.retrieval) return this.look(given);
    this.similar = await this.rank(context.retrieval.vocabulary);
    const candidates = await this.look([...given, ...alikePairs(this.similar)]);
    const bonds = candidates.map(({ pair, fit }) => ({ ...pair, inliers: fit?.inlierCount ?? 0 }));
    return [...candidates, ...(await this.look(furtherPairs(photos.length, bonds, this.tried)))];
  }

  /** Pairs that may tie in what was not placed, and join pieces; none where everything is one piece. */
  joining(pieces: readonly Piece[]): Promise<Candidate[]> {
    const pieceOf = this.input.photos.map((_, photo) => {
      const piece = pieces.findIndex(({ cameras }) => cameras.has(photo));
      return piece < 0 ? undefined : piece;
    });
    return this.look(joiningPairs(pieceOf, this.similar, this.tried));
  }

  private async look(pairs: readonly Pair[]): Promise<Candidate[]> {
    const { photos, features, position, pool, context, rejected } = this.input;
    const fresh = pairs.filter(({ a, b }) => this.tried.add(a, b));
    if (fresh.length === 0) return [];
    const matched = await matchAll(photos, fresh, features, pool, context, rejected);
    return fitAll(photos, matched, position, pool, context, rejected);
  }

  private async rank(vocabulary: Uint8Array): Promise<Similar> {
    const { photos, features, pool, context } = this.input;
    const options = { signal: context.signal, pass: context.pass };
    let done = 0;
    const words = await Promise.all(
      photos.map(async (photo, k): Promise<PhotoWords> => {
        const key = `retrieval/1/${FEATURE_SIDE}/${sightId(photo)}`;
        let found = decodeWords(context.store.get(key));
        if (!found) {
          const request: Request = { kind: 'words', descriptors: features[k]!.descriptors, vocabulary };
          found = await pool.run<PhotoWords>(request, options);
          context.store.put(key, encodeWords(found));
        }
        context.onProgress?.({ stage: 'indexing photos', done: ++done, total: photos.length });
        return found;
      }),
    );
    return pool.run<Similar>({ kind: 'similar', photos: words, vocabulary } satisfies Request, options);
  }
}
