import { Button } from '../design/controls.js';
import { dismiss, useStudio } from '../store/studio.js';

/** Errors stay until they are closed; a word on what was done goes by itself. */
export function Notices() {
  const notices = useStudio(({ notices }) => notices);
  return (
    <div
      className="notices"
      aria-live="polite"
    >
      {notices.map(({ id, tone, text }) => (
        <div
          key={id}
          className={`notice ${tone}`}
          role={tone === 'error' ? 'alert' : 'status'}
        >
          <p>{text}</p>
          <Button
            look={['plain', 'square']}
            icon="close"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          />
        </div>
      ))}
    </div>
  );
}
