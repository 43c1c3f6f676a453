import { useEffect, useRef, type KeyboardEvent } from 'react';
import { commands } from '../../electron/contract/commands.js';
import { setStudio, useStudio } from '../store/studio.js';
import { t } from '../words/index.js';
import { canRun, runCommand } from './actions.js';
import { keysText } from './keys.js';

const close = (): void => setStudio({ menu: undefined });

/** Commands at the pointer; closed by Escape, by a choice, and by a press beside it. */
export function ContextMenu() {
  const menu = useStudio(({ menu }) => menu);
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!menu) return;
    const before = document.activeElement as HTMLElement | null;
    const box = element.current!.getBoundingClientRect();
    // Inside the window, wherever the pointer was.
    element.current!.style.left = `${Math.max(4, Math.min(menu.x, innerWidth - box.width - 4))}px`;
    element.current!.style.top = `${Math.max(4, Math.min(menu.y, innerHeight - box.height - 4))}px`;
    element.current!.querySelector<HTMLElement>('button:enabled')?.focus();
    const outside = ({ target }: Event): void => {
      if (!element.current?.contains(target as Node)) close();
    };
    window.addEventListener('pointerdown', outside);
    window.addEventListener('blur', close);
    return () => {
      window.removeEventListener('pointerdown', outside);
      window.removeEventListener('blur', close);
      before?.focus();
    };
  }, [menu]);
  if (!menu) return null;
  const press = (event: KeyboardEvent): void => {
    const items = [...element.current!.querySelectorAll<HTMLElement>('button:enabled')];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const goal: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key === 'Escape' || event.key === 'Tab') close();
    else if (goal[event.key] !== undefined) items[(goal[event.key]! + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      className="context-menu"
      role="menu"
      aria-label={t('What can be done here')}
      ref={element}
      onKeyDown={press}
      onContextMenu={(event) => event.preventDefault()}
    >
      {menu.ids.map((id) => (
        <button
          key={id}
          type="button"
          role="menuitem"
          disabled={!canRun(id)}
          onClick={() => {
            close();
            runCommand(id);
          }}
        >
          <span>{t(commands[id].title)}</span>
          <kbd>{keysText(id)}</kbd>
        </button>
      ))}
    </div>
  );
}
