import { CommandButton } from '../commands/CommandButton.js';
import { Empty, Facts } from '../design/controls.js';
import { stem } from '../design/format.js';
import { residualTone } from '../photos/PhotoPanel.js';
import { useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { samePair } from './strength.js';
import './graph.css';

/** Two photos, what the estimator saw in them together, and whether to believe it. */
export function PairPanel() {
  const pair = useStudio(({ project, selectedPair }) => project?.pairs.find((each) => samePair(each, selectedPair)));
  const photos = useStudio(({ project }) => project?.photos);
  const revision = useStudio(({ project }) => project?.scene?.revision ?? 0);
  if (!pair)
    return (
      <div className="panel">
        <Empty title="No pair selected">
          <p>Click a line of the pose graph or a square of the pair matrix.</p>
        </Empty>
      </div>
    );
  const { a, b, state, enabled, confidence, residual, parallax, reason } = pair;
  const name = (id: string): string => stem(photos?.find((photo) => photo.id === id)?.name ?? id);
  const map = (kind: string, k: number): string => `${api.binaryUrl(`pair/${a}/${b}/${kind}/${k}`)}?${revision}`;
  return (
    <div className="panel">
      <div className="section">
        <h2 className="truncate">
          {name(a)} to {name(b)}
        </h2>
        <div className="pair-grid">
          {[a, b].map((id) => (
            <img
              key={id}
              src={api.binaryUrl(`thumbnail/${id}`)}
              alt={`Photo ${name(id)}`}
            />
          ))}
          {state === 'observed' &&
            [0, 1].map((k) => (
              <img
                key={`d${k}`}
                src={map('depth', k)}
                alt={`Depth of ${name([a, b][k]!)} by this pair`}
              />
            ))}
          {state === 'observed' &&
            [0, 1].map((k) => (
              <img
                key={`c${k}`}
                src={map('confidence', k)}
                alt={`Confidence of ${name([a, b][k]!)} in this pair`}
              />
            ))}
        </div>
        {state === 'observed' && <p className="faint">Photos, depth (near is warm), confidence (bright is sure).</p>}
        <Facts
          facts={[
            confidence !== undefined && ['Confidence', confidence.toFixed(1)],
            residual !== undefined && [
              'Residual',
              <span
                key="r"
                className={residualTone(residual)}
              >
                {(residual * 100).toPrecision(2)} %
              </span>,
            ],
            parallax !== undefined && ['Parallax', `${parallax.toFixed(1)}°`],
            state === 'planned' && ['State', 'not computed yet'],
          ]}
        />
        {state === 'rejected' && (
          <p className="bad">Rejected: {reason ?? 'the photos share nothing that could be measured'}.</p>
        )}
        <CommandButton
          id="pair.toggle"
          icon="power"
        >
          {enabled ? 'Switch this pair off' : 'Switch this pair on'}
        </CommandButton>
        {!enabled && (
          <CommandButton
            id="run.realign"
            icon="play"
          >
            Realign without it
          </CommandButton>
        )}
      </div>
    </div>
  );
}
