import { useState } from 'react';
import type { PairInfo } from '../../electron/contract/api.js';
import { CommandButton } from '../commands/CommandButton.js';
import { Empty, Facts } from '../design/controls.js';
import { confidenceText, fixedText, stem } from '../design/format.js';
import { ConfidenceLegend } from '../depth/ConfidenceLegend.js';
import { MapCanvas } from '../depth/MapCanvas.js';
import { useMaps } from '../depth/maps.js';
import { residualFact } from '../photos/residual.js';
import { useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';
import { samePair } from './strength.js';
import './graph.css';

/** Two photos, what the estimator saw in them together, and whether to believe it. */
export function PairPanel() {
  const pair = useStudio(({ project, selectedPair }) => project?.pairs.find((each) => samePair(each, selectedPair)));
  const photos = useStudio(({ project }) => project?.photos);
  if (!pair)
    return (
      <Empty title={t('No pair selected')}>
        <p>{t('Click a line of the pose graph or a square of the pair matrix.')}</p>
      </Empty>
    );
  const name = (id: string): string => stem(photos?.find((photo) => photo.id === id)?.name ?? id);
  return (
    <div className="panel pair">
      <header className="pair-head">
        <h2 className="truncate">{t('{a} and {b}', { a: name(pair.a), b: name(pair.b) })}</h2>
        <CommandButton
          id="pair.toggle"
          icon="power"
        >
          {pair.enabled ? t('Switch this pair off') : t('Switch this pair on')}
        </CommandButton>
      </header>
      <PairPictures
        pair={pair}
        name={name}
      />
      <PairFacts pair={pair} />
    </div>
  );
}

/** Photos, and beside each what this pair says of it, in one row. */
function PairPictures({ pair, name }: { pair: PairInfo; name: (id: string) => string }) {
  const [map, setMap] = useState<'depth' | 'confidence'>('depth');
  const revision = useStudio(({ project }) => project?.scene?.revision ?? 0);
  const { a, b } = pair;
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  const known = pair.confidence !== undefined || pair.state === 'observed';
  const ofA = useMaps(known ? `pair/${a}/${b}/maps/0` : undefined, revision);
  const ofB = useMaps(known ? `pair/${a}/${b}/maps/1` : undefined, revision);
  const words = (id: string): string =>
    map === 'depth'
      ? t('Depth of {name} by this pair', { name: name(id) })
      : t('Confidence of {name} in this pair', { name: name(id) });
  return (
    <>
      <div className="pair-grid">
        {[a, b].map((id) => (
          <img
            key={id}
            src={api.binaryUrl(`thumbnail/${id}`)}
            alt={t('Photo {name}', { name: name(id) })}
          />
        ))}
        {known &&
          [a, b].map((id, k) => (
            <MapCanvas
              key={id}
              maps={k === 0 ? ofA : ofB}
              kind={map}
              scale={scale}
              label={words(id)}
            />
          ))}
      </div>
      {known && (
        <div
          className="row"
          role="radiogroup"
          aria-label={t('Maps of the pair')}
        >
          {(['depth', 'confidence'] as const).map((each) => (
            <label
              key={each}
              className="radio"
            >
              <input
                type="radio"
                name="pair-map"
                checked={map === each}
                onChange={() => setMap(each)}
              />
              {each === 'depth' ? t('Depth, near is bright') : t('Confidence, bright is sure')}
            </label>
          ))}
          {map === 'confidence' && <ConfidenceLegend scale={scale} />}
        </div>
      )}
    </>
  );
}

function PairFacts({ pair: { state, enabled, confidence, residual, parallax, reason } }: { pair: PairInfo }) {
  const scale = useStudio(({ project }) => project?.scene?.confidence);
  return (
    <div className="row pair-facts">
      <Facts
        facts={[
          confidence !== undefined && [t('Confidence'), confidenceText(confidence, scale)],
          residual !== undefined && residualFact(residual),
          parallax !== undefined && [t('Parallax'), `${fixedText(parallax, 1)}°`],
          state === 'planned' && enabled && [t('State'), t('not computed yet')],
        ]}
      />
      {state === 'rejected' && (
        <p className="bad">
          {t('Rejected: {reason}.', { reason: reason ?? t('the photos share nothing that could be measured') })}
        </p>
      )}
      {!enabled && (
        <CommandButton
          id="run.realign"
          icon="play"
        >
          {t('Realign without it')}
        </CommandButton>
      )}
    </div>
  );
}
