import type { FunctionComponent } from 'react';
import { SurfacePanel } from '../cloud/SurfacePanel.js';
import { ExportPanel } from '../export/ExportPanel.js';
import { PhotosStep } from '../photos/PhotosStep.js';
import { SelectedPhoto } from '../photos/SelectedPhoto.js';
import { RunPanel } from '../run/RunPanel.js';
import { ScenePanel } from '../scene/ScenePanel.js';
import { Tabs } from '../design/Tabs.js';
import { showStep, steps, useLayout, type Step } from '../store/layout.js';
import { t } from '../words/index.js';

const bodies: Readonly<Record<Step, FunctionComponent>> = {
  photos: PhotosStep,
  solve: RunPanel,
  clean: ScenePanel,
  surface: SurfacePanel,
  export: ExportPanel,
};

const titles = (): Readonly<Record<Step, readonly [short: string, whole: string]>> => ({
  photos: [t('Photos'), t('Photos and camera')],
  solve: [t('Solve'), t('Solve: cameras, depth and cloud')],
  clean: [t('Clean'), t('Clean, level, measure')],
  surface: [t('Surface'), t('Surface: the mesh and its texture')],
  export: [t('Export'), t('Export to other programs')],
});

/** The right panel: one step of the work at a time, and below it what is known of the selected photo. */
export function StepPanel() {
  const step = useLayout(({ step }) => step);
  const Body = bodies[step];
  const names = titles();
  return (
    <aside
      className="steps"
      aria-label={t('Steps of the work')}
    >
      <Tabs
        label={t('Steps of the work')}
        className="step-tabs"
        controls="step"
        value={step}
        onChoose={showStep}
        items={steps.map((value, k) => ({
          value,
          name: names[value][1],
          title: (
            <>
              <i aria-hidden="true">{k + 1}</i>
              <span>{names[value][0]}</span>
            </>
          ),
        }))}
      />
      <div
        className="step-body"
        id="step"
        role="tabpanel"
        aria-labelledby={`step-${step}`}
      >
        <Body />
      </div>
      <SelectedPhoto />
    </aside>
  );
}
