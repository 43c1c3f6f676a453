import { attempt } from '../commands/project.js';
import { Bar, Button } from '../design/controls.js';
import { useStudio } from '../store/studio.js';
import { api } from '../transport/index.js';
import { t } from '../words/index.js';

/** How far the studio is with a video whose frames it chooses. */
export function Reading() {
  const video = useStudio((state) => state.video);
  if (!video) return null;
  const label = t('Choosing frames of {video}', { video: video.video });
  return (
    <div
      className="section"
      role="status"
    >
      <p className="quiet">{label}</p>
      <Bar
        label={label}
        done={Math.round(100 * video.share)}
        total={100}
      />
      <Button onClick={() => void attempt(() => api.request('photos.cancel', {}))}>{t('Stop reading')}</Button>
    </div>
  );
}
