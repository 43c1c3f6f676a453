import { useState } from 'react';
import { markerFamilies, type MarkerFamily, type SceneDescription } from '../../electron/contract/scene.js';
import { editScene } from '../commands/scene.js';
import { Button, Select, TextField } from '../design/controls.js';
import { notify } from '../store/studio.js';
import { t } from '../words/index.js';
import { fixedText, typedNumber } from '../design/format.js';

const families = markerFamilies.map((value) => ({ value, title: value }));

/** Scale from printed markers, and place and scale from GPS: both find what they need in the photos. */
export function PlaceSection({ description, busy }: { description: SceneDescription | undefined; busy: boolean }) {
  const [family, setFamily] = useState<MarkerFamily>('apriltag-36h11');
  const [text, setText] = useState('');
  const [searching, setSearching] = useState(false);
  const metres = typedNumber(text);
  const find = async (...operations: Parameters<typeof editScene>): Promise<void> => {
    setSearching(true);
    const answer = await editScene(...operations);
    setSearching(false);
    if (answer && answer.notes.length > 0) notify('information', answer.notes.join('; '));
  };
  return (
    <div className="section">
      <h2>{t('Markers and GPS')}</h2>
      <Select
        label={t('Printed markers')}
        value={family}
        choices={families}
        onChange={setFamily}
      />
      <TextField
        inputMode="decimal"
        label={t('Side of the black square, metres')}
        text={text}
        onChange={setText}
      />
      <div className="scene-tools">
        <Button
          disabled={busy || searching || !(metres > 0)}
          onClick={() => void find({ kind: 'markers', family, metres })}
        >
          {searching ? t('Looking…') : t('Find markers')}
        </Button>
        <Button
          disabled={busy || searching}
          title={t('Metres, east and north from the places that the photos tell')}
          onClick={() => void find({ kind: 'gps' })}
        >
          {t('Use GPS')}
        </Button>
      </div>
      <Residuals description={description} />
    </div>
  );
}

function Residuals({ description }: { description: SceneDescription | undefined }) {
  if (!description) return null;
  const { places } = description;
  return (
    <ul className="scene-list">
      {places.map(({ photo, name, across, up }) => (
        <li key={photo}>
          <span>{name}</span>
          <span className="numeric">
            {t('off by {side} m, up {up} m', { side: fixedText(across, 2), up: fixedText(up, 2) })}
          </span>
        </li>
      ))}
    </ul>
  );
}
