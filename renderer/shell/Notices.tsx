import { createPortal } from 'react-dom';
import { Button } from '../design/controls.js';
import { useTopDialog } from '../design/dialogs.js';
import { dismiss, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';

/** At most one, before whatever is open: the newest. Errors stay until they are closed or their cause is gone; a remark goes by itself. */
export function Notices() {
  const notice = useStudio(({ notice }) => notice);
  const dialog = useTopDialog();
  return createPortal(
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
    </div>,
    dialog ?? document.body,
  );
}
