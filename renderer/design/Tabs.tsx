import type { KeyboardEvent, ReactNode } from 'react';

export interface TabItem<T extends string> {
  value: T;
  title: ReactNode;
  /** Said to a screen reader and as the tooltip, where the title is short. */
  name?: string;
}

/** A row of tabs; arrow keys, Home and End move between them. */
export function Tabs<T extends string>({
  label,
  items,
  value,
  onChoose,
  className = '',
  controls,
}: {
  label: string;
  items: readonly TabItem<T>[];
  /** Undefined when what the tabs belong to is closed. */
  value: T | undefined;
  onChoose: (value: T) => void;
  className?: string;
  /** Id of the element that the tabs fill. */
  controls: string;
}) {
  const press = (event: KeyboardEvent<HTMLDivElement>): void => {
    const tabs = [...event.currentTarget.querySelectorAll<HTMLElement>('[role=tab]')];
    const at = tabs.indexOf(document.activeElement as HTMLElement);
    const goal: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    const next = goal[event.key];
    if (next === undefined) return;
    event.preventDefault();
    tabs[(next + tabs.length) % tabs.length]!.focus();
  };
  const reachable = value ?? items[0]?.value;
  return (
    <div
      className={`tabs ${className}`}
      role="tablist"
      aria-label={label}
      onKeyDown={press}
    >
      {items.map(({ value: each, title, name }) => (
        <button
          key={each}
          type="button"
          role="tab"
          id={`${controls}-${each}`}
          aria-selected={each === value}
          aria-controls={each === value ? controls : undefined}
          aria-label={name}
          title={name}
          tabIndex={each === reachable ? 0 : -1}
          onClick={() => onChoose(each)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
