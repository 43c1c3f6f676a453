import { Button } from '../design/controls.js';
import { dismiss, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

/** At most one: the newest. Errors stay until they are closed or their cause is gone; a remark goes by itself. */
export function Notices() {
  const notice = useStudio(({ notice }) => notice);
  return (
    <div
      className="notices"
      aria-live="polite"
    >
      {notice && (
        <div
          key={notice.id}
          className={`notice ${notice.tone}`}
          role={notice.tone === 'error' ? 'alert' : 'status'}
        >
          <p>{notice.text}</p>
          <Button
            look={['plain', 'square']}
            icon="close"
            aria-label={t('Dismiss')}
            onClick={dismiss}
          />
        </div>
      )}
    </div>
  );
}
