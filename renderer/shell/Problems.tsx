import { useEffect, useRef, useState } from 'react';
import { Button } from '../design/controls.js';
import { clearProblems, useStudio } from '../store/studio.js';
import { plural, t } from '../words/index.js';

/** Errors of this project since it was opened, in a list that opens from the status bar. */
export function Problems() {
  const problems = useStudio(({ problems }) => problems);
  const [open, setOpen] = useState(false);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!open) return;
    const close = (event: Event): void => {
      const outside = event instanceof KeyboardEvent ? event.key === 'Escape' : !inside(element.current, event);
      if (outside) setOpen(false);
    };
    window.addEventListener('keydown', close);
    window.addEventListener('pointerdown', close);
    return () => {
      window.removeEventListener('keydown', close);
      window.removeEventListener('pointerdown', close);
    };
  }, [open]);
  if (problems.length === 0) return null;
  return (
    <div
      className="problems"
      ref={element}
    >
      <button
        type="button"
        className="link bad"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {plural(problems.length, '{n} error', '{n} errors')}
      </button>
      {open && (
        <section
          className="problem-list"
          aria-label={t('Errors')}
        >
          <header className="spread">
            <h2>{t('Errors')}</h2>
            <Button onClick={clearProblems}>{t('Clear')}</Button>
          </header>
          <ul>
            {problems.map(({ id, text }) => (
              <li key={id}>{text}</li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

const inside = (element: HTMLElement | null, { target }: Event): boolean => element?.contains(target as Node) ?? false;
