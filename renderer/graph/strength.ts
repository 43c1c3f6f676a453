import type { PairInfo } from '../../electron/contract/api.js';
import { confidenceText, figuresText, fixedText } from '../design/format.js';
import { t } from '../words/index.js';

/** How a pair's line looks: data in colour, doubt in thinness. */
export interface PairLook {
  tone: 'good' | 'fair' | 'bad' | 'none';
  width: number;
  dashed: boolean;
}

/** By residual when the pair was aligned, by confidence before. */
export function pairLook({ state, enabled, confidence, residual }: PairInfo): PairLook {
  if (!enabled || state === 'planned') return { tone: 'none', width: 1, dashed: true };
  // Most photos that share nothing are no fault of anybody: the eye is wanted for pairs that are used and do not fit.
  if (state === 'rejected') return { tone: 'none', width: 1, dashed: true };
  const width = 1 + Math.min(3, Math.max(0, (confidence ?? 1.5) - 1) * 0.7);
  const tone =
    residual !== undefined
      ? residual < 0.012
        ? 'good'
        : residual < 0.03
          ? 'fair'
          : 'bad'
      : (confidence ?? 1) > 3
        ? 'good'
        : (confidence ?? 1) > 1.6
          ? 'fair'
          : 'bad';
  return { tone, width, dashed: false };
}

/** The same in words, for whoever can't or won't read colours. @param scale of the scene's confidence */
export function pairText(
  { state, enabled, confidence, residual, reason, parallax }: PairInfo,
  scale: readonly number[] | undefined,
): string {
  if (!enabled) return t('switched off');
  if (state === 'planned') return t('not computed yet');
  if (state === 'rejected') return t('rejected: {reason}', { reason: reason ?? t('nothing in common') });
  return (
    [
      confidence !== undefined && t('confidence {n}', { n: confidenceText(confidence, scale) }),
      residual !== undefined && t('residual {n} % of the depth', { n: figuresText(residual * 100, 2) }),
      parallax !== undefined && t('parallax {n}°', { n: fixedText(parallax, 1) }),
    ]
      .filter(Boolean)
      .join(', ') || t('computed')
  );
}

export const samePair = ({ a, b }: Pick<PairInfo, 'a' | 'b'>, pair: readonly [string, string] | undefined): boolean =>
  pair !== undefined && ((a === pair[0] && b === pair[1]) || (a === pair[1] && b === pair[0]));
