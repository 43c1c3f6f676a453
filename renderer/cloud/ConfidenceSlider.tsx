import { useState } from 'react';
import { confidenceAt, confidenceHistogram, percentileOf } from '../../electron/contract/confidence.js';
import { Slider } from '../design/controls.js';
import { t } from '../words/index.js';
import { figuresText } from '../design/format.js';

const BINS = 56;
const HEIGHT = 36;

/** What is kept: the percentage that the slider stands at, and the confidence that it means. */
interface Held {
  percent: number;
  confidence: number;
}

/**
 * A confidence chosen as a percentage of the scene's depths, over the histogram of their confidences. What is told
 * outside is the confidence: it keeps its meaning in every project and on the command line.
 */
export function ConfidenceSlider({
  label,
  value,
  scale,
  disabled,
  from = 0,
  onChange,
  onCommit,
}: {
  label: string;
  value: number;
  scale: readonly number[];
  disabled: boolean;
  /** Per cent at which the slider begins. */
  from?: number;
  onChange: (confidence: number) => void;
  onCommit: (confidence: number) => unknown;
}) {
  // While it is moved and until the answer is here; afterwards too, where many depths have the confidence that it means.
  const [held, setHeld] = useState<Held>();
  const [moving, setMoving] = useState(false);
  const mine = held && (moving || held.confidence === value);
  const percent = mine ? held.percent : Math.max(from, Math.round(percentileOf(scale, value)));
  const shown = mine ? held.confidence : value;
  const meant = (next: number): number => (next <= 0 ? 1 : Number(confidenceAt(scale, next).toPrecision(4)));
  return (
    <div className="confidence">
      <Histogram
        scale={scale}
        threshold={shown}
      />
      <Slider
        label={label}
        min={from}
        max={99}
        step={1}
        value={percent}
        disabled={disabled}
        format={(number) => `${number} % (${figuresText(shown, 3)})`}
        onChange={(next) => {
          const confidence = meant(next);
          setHeld({ percent: next, confidence });
          setMoving(true);
          onChange(confidence);
        }}
        onCommit={(next) => {
          const confidence = meant(next);
          // An answer to an earlier commit takes nothing from a hand that has moved on.
          void Promise.resolve(confidence === value ? undefined : onCommit(confidence)).then(() =>
            setHeld((now) => {
              if (now?.percent === next) setMoving(false);
              return now;
            }),
          );
        }}
      />
    </div>
  );
}

/** Logarithm of the confidence to the right, share of the depths upwards; what is left out is pale. */
function Histogram({ scale, threshold }: { scale: readonly number[]; threshold: number }) {
  const bins = confidenceHistogram(scale, BINS);
  const most = Math.max(...bins.map(({ share }) => share));
  const [least, greatest] = [Math.log(scale[0]!), Math.log(scale.at(-1)!)];
  const at = BINS * Math.min(1, Math.max(0, (Math.log(threshold) - least) / (greatest - least || 1)));
  return (
    <svg
      className="histogram"
      viewBox={`0 0 ${BINS} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={t('How many depths have which confidence, from {least} to {most}', {
        least: figuresText(scale[0]!, 2),
        most: figuresText(scale.at(-1)!, 2),
      })}
    >
      {bins.map(({ share }, k) => {
        // The root: a few tall bars would leave all others flat.
        const height = HEIGHT * Math.sqrt(share / most);
        return (
          <rect
            key={k}
            className={k + 0.5 < at ? 'out' : undefined}
            x={k + 0.08}
            y={HEIGHT - height}
            width={0.84}
            height={height}
          />
        );
      })}
      <line
        x1={at}
        x2={at}
        y1={0}
        y2={HEIGHT}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
