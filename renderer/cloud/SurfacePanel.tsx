import { useEffect, useState } from 'react';
import { Button, Empty, Facts, Select, Switch } from '../design/controls.js';
import { aboutText, bytesText, countText } from '../design/format.js';
import { isActive, notify, setViewer, useStudio } from '../store/studio.js';
import type { ViewerSettings } from '../store/viewer-settings.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';

const faceChoices = [50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000];
const sizeChoices = [1024, 2048, 4096, 8192];

/** The mesh: what is to be built, what it will cost, how far it is, and how it is drawn. */
export function SurfacePanel() {
  const cloud = useStudio(({ project }) => project?.scene !== undefined && !project.scene.partial);
  const there = useStudio(({ mesh }) => mesh.revision !== undefined);
  if (!cloud)
    return (
      <Empty title={t('No surface yet')}>
        <p>{t('A mesh is built from the depth maps, once there is a cloud.')}</p>
      </Empty>
    );
  return (
    <div className="panel">
      <BuildSection />
      {there && <LookSection />}
    </div>
  );
}

function BuildSection() {
  const mesh = useStudio(({ mesh }) => mesh);
  const running = useStudio(({ job }) => isActive(job));
  const [faces, setFaces] = useState(500_000);
  const [textureSize, setTextureSize] = useState(4096);
  const [closeHoles, setCloseHoles] = useState(false);
  const forecast = useForecast(faces, textureSize);
  const start = (): void => {
    api
      .request('mesh.build', { faces, textureSize, closeHoles })
      .catch((error: Error) => notify('error', error.message));
  };
  return (
    <section
      className="section"
      aria-label={t('Build the mesh')}
    >
      <h2>{t('Mesh')}</h2>
      {mesh.revision !== undefined && (
        <Facts
          facts={[
            [t('Faces'), countText(mesh.faces ?? 0)],
            [t('Not measured'), countText(mesh.inferred ?? 0)],
          ]}
        />
      )}
      {mesh.stale && (
        <p className="quiet">{t('What was taken away since is left out; build anew for the finest borders.')}</p>
      )}
      <Select
        label={t('Faces')}
        value={String(faces)}
        choices={faceChoices.map((value) => ({ value: String(value), title: countText(value) }))}
        onChange={(value) => setFaces(Number(value))}
      />
      <Select
        label={t('Texture, pixels')}
        value={String(textureSize)}
        choices={sizeChoices.map((value) => ({ value: String(value), title: `${value} × ${value}` }))}
        onChange={(value) => setTextureSize(Number(value))}
      />
      <Switch
        label={t('Close large holes')}
        checked={closeHoles}
        onChange={setCloseHoles}
      />
      {mesh.state === 'building' ? (
        <Building />
      ) : (
        <>
          {forecast && (
            <Facts
              facts={[
                [t('Time'), aboutText(forecast.seconds)],
                [t('Memory'), bytesText(forecast.memory)],
              ]}
            />
          )}
          <Button
            look={['primary', 'large', 'wide']}
            disabled={running}
            onClick={start}
          >
            {mesh.revision === undefined ? t('Build mesh') : t('Build anew')}
          </Button>
        </>
      )}
    </section>
  );
}

function Building() {
  const { stage, done, total } = useStudio(({ mesh }) => mesh);
  return (
    <>
      <progress
        className="wide"
        aria-label={stage ?? t('Building')}
        value={total ? (done ?? 0) / total : undefined}
      />
      <p className="quiet">{stage}</p>
      <Button onClick={() => void api.request('mesh.cancel', {})}>{t('Cancel the mesh')}</Button>
    </>
  );
}

function LookSection() {
  const { layer, meshLook } = useStudio(({ viewer }) => viewer);
  return (
    <section className="section">
      <h2>{t('In the view')}</h2>
      <Select<ViewerSettings['layer']>
        label={t('Layer')}
        value={layer}
        choices={[
          { value: 'cloud', title: t('Points') },
          { value: 'mesh', title: t('Mesh') },
          { value: 'both', title: t('Points and mesh') },
        ]}
        onChange={(next) => setViewer({ layer: next })}
      />
      {layer !== 'cloud' && (
        <Select<ViewerSettings['meshLook']>
          label={t('Mesh drawn as')}
          value={meshLook}
          choices={[
            { value: 'texture', title: t('Texture') },
            { value: 'shape', title: t('Shaded') },
            { value: 'wireframe', title: t('Wireframe') },
            { value: 'confidence', title: t('Confidence') },
            { value: 'photo', title: t('Source photo') },
          ]}
          onChange={(next) => setViewer({ meshLook: next })}
        />
      )}
    </section>
  );
}

function useForecast(faces: number, textureSize: number): { seconds: number; memory: number } | undefined {
  const [forecast, setForecast] = useState<{ seconds: number; memory: number }>();
  const revision = useStudio(({ project }) => project?.scene?.revision);
  useEffect(() => {
    let gone = false;
    api.request('mesh.forecast', { faces, textureSize }).then(
      (answer) => !gone && setForecast(answer),
      () => !gone && setForecast(undefined),
    );
    return () => {
      gone = true;
    };
  }, [faces, textureSize, revision]);
  return forecast;
}
