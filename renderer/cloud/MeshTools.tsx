import { useEffect, useState } from 'react';
import { Button } from '../design/controls.js';
import { aboutText, bytesText, countText } from '../design/format.js';
import { isActive, notify, setViewer, useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import type { ViewerSettings } from '../store/viewer-settings.js';
import './mesh.css';

const layers: readonly (readonly [ViewerSettings['layer'], string])[] = [
  ['cloud', 'Points'],
  ['mesh', 'Mesh'],
  ['both', 'Both'],
];
const looks: readonly (readonly [ViewerSettings['meshLook'], string])[] = [
  ['texture', 'Photos'],
  ['shape', 'Shape'],
  ['wireframe', 'Wireframe'],
  ['photo', 'Source photo'],
];

/** Which layer is drawn and how, and the door to building the mesh. */
export function MeshTools() {
  const { layer, meshLook } = useStudio(({ viewer }) => viewer);
  const there = useStudio(({ mesh }) => mesh.revision !== undefined);
  const building = useStudio(({ mesh }) => mesh.state === 'building');
  const [open, setOpen] = useState(false);
  return (
    <>
      {there && (
        <label className="tool">
          <span>Layer</span>
          <select
            value={layer}
            onChange={(event) => setViewer({ layer: event.target.value as ViewerSettings['layer'] })}
          >
            {layers.map(([value, title]) => (
              <option
                key={value}
                value={value}
              >
                {title}
              </option>
            ))}
          </select>
        </label>
      )}
      {there && layer !== 'cloud' && (
        <label className="tool">
          <span>Mesh</span>
          <select
            value={meshLook}
            onChange={(event) => setViewer({ meshLook: event.target.value as ViewerSettings['meshLook'] })}
          >
            {looks.map(([value, title]) => (
              <option
                key={value}
                value={value}
              >
                {title}
              </option>
            ))}
          </select>
        </label>
      )}
      <Button
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {building ? 'Building mesh…' : there ? 'Mesh…' : 'Build mesh…'}
      </Button>
      {open && <MeshBox />}
    </>
  );
}

const faceChoices = [50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000];
const sizeChoices = [1024, 2048, 4096, 8192];

/** What is to be built, what it will cost, and how far it is. */
function MeshBox() {
  const mesh = useStudio(({ mesh }) => mesh);
  const running = useStudio(({ job }) => isActive(job));
  const [faces, setFaces] = useState(500_000);
  const [textureSize, setTextureSize] = useState(4096);
  const forecast = useForecast(faces, textureSize);
  const building = mesh.state === 'building';
  const start = (): void => {
    api.request('mesh.build', { faces, textureSize }).catch((error: Error) => notify('error', error.message));
  };
  return (
    <section
      className="mesh-box"
      aria-label="Build the mesh"
    >
      {mesh.revision !== undefined && (
        <p>
          {`${countText(mesh.faces ?? 0)} faces, ${countText(mesh.inferred ?? 0)} of them closing small holes.`}
          {mesh.stale && ' What was taken away since is left out; build anew for the finest borders.'}
        </p>
      )}
      <Choice
        label="Faces"
        value={faces}
        choices={faceChoices}
        onChange={setFaces}
      />
      <Choice
        label="Texture, pixels"
        value={textureSize}
        choices={sizeChoices}
        onChange={setTextureSize}
      />
      {building ? (
        <>
          <progress
            aria-label={mesh.stage ?? 'Building'}
            value={mesh.total ? (mesh.done ?? 0) / mesh.total : undefined}
          />
          <p>{mesh.stage}</p>
          <Button onClick={() => void api.request('mesh.cancel', {})}>Cancel</Button>
        </>
      ) : (
        <>
          {forecast && <p>{`${aboutText(forecast.seconds)}, and ${bytesText(forecast.memory)} of memory.`}</p>}
          <Button
            look="primary"
            disabled={running}
            onClick={start}
          >
            {mesh.revision === undefined ? 'Build mesh' : 'Build anew'}
          </Button>
        </>
      )}
    </section>
  );
}

function useForecast(faces: number, textureSize: number): { seconds: number; memory: number } | undefined {
  const [forecast, setForecast] = useState<{ seconds: number; memory: number }>();
  useEffect(() => {
    let gone = false;
    api.request('mesh.forecast', { faces, textureSize }).then(
      (answer) => !gone && setForecast(answer),
      () => !gone && setForecast(undefined),
    );
    return () => {
      gone = true;
    };
  }, [faces, textureSize]);
  return forecast;
}

function Choice({
  label,
  value,
  choices,
  onChange,
}: {
  label: string;
  value: number;
  choices: readonly number[];
  onChange: (value: number) => void;
}) {
  return (
    <label className="tool">
      <span>{label}</span>
      <select
        value={value}
        onChange={(event) => onChange(Number(event.target.value))}
      >
        {choices.map((each) => (
          <option
            key={each}
            value={each}
          >
            {countText(each)}
          </option>
        ))}
      </select>
    </label>
  );
}
