import { confidenceAt } from '../../electron/contract/confidence.js';
import { t } from '../words/index.js';
import { figuresText } from '../design/format.js';

/** What the colours of confidence say, the same for points, maps and pairs: per cent of all depths that are less sure. */
export function ConfidenceLegend({ scale }: { scale: readonly number[] | undefined }) {
  const at = (percent: number): string =>
    scale ? `${percent} % (${figuresText(confidenceAt(scale, percent), 2)})` : `${percent} %`;
  return (
    <span
      className="confidence-legend numeric"
      title={t('Per cent of all depths that are less sure, and the confidence there')}
    >
      {at(0)}
      <span
        className="ramp"
        role="img"
        aria-label={t('Confidence, from dark to bright')}
      />
      {at(100)}
    </span>
  );
}
