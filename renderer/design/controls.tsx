import {
  useEffect,
  useId,
  useRef,
  type ButtonHTMLAttributes,
  type CSSProperties,
  type InputHTMLAttributes,
  type ReactNode,
} from 'react';
import { enterDialog } from './dialogs.js';
import { Icon, type IconName } from './icons.js';
import { t } from '../words/index.js';

type Look = 'primary' | 'plain' | 'square' | 'wide' | 'large';

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look | readonly Look[];
  icon?: IconName;
}

export function Button({ look = [], icon, children, className = '', ...rest }: ButtonProps) {
  const looks = typeof look === 'string' ? [look] : look;
  return (
    <button
      type="button"
      className={['button', ...looks, className].join(' ')}
      {...rest}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export function Field({
  label,
  value,
  children,
}: {
  label: string;
  value?: ReactNode;
  children: (id: string) => ReactNode;
}) {
  const id = useId();
  return (
    <div className="field">
      <div className="label">
        <label htmlFor={id}>{label}</label>
        {value !== undefined && <span className="numeric">{value}</span>}
      </div>
      {children(id)}
    </div>
  );
}

/** A line to type; the text is the caller's, who decides what it is when it is used. */
export function TextField({
  label,
  text,
  onChange,
  ...rest
}: { label: string; text: string; onChange: (text: string) => void } & Pick<
  InputHTMLAttributes<HTMLInputElement>,
  'inputMode' | 'autoFocus'
>) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          className="input"
          value={text}
          onChange={(event) => onChange(event.target.value)}
          {...rest}
        />
      )}
    </Field>
  );
}

export interface Choice<T extends string> {
  value: T;
  title: string;
  disabled?: boolean;
}

export function Select<T extends string>({
  label,
  value,
  choices,
  onChange,
  note,
  disabled,
}: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
  note?: ReactNode;
  disabled?: boolean;
}) {
  return (
    <Field
      label={label}
      value={note}
    >
      {(id) => (
        <select
          id={id}
          className="select"
          value={value}
          disabled={disabled}
          onChange={(event) => onChange(event.target.value as T)}
        >
          {choices.map((choice) => (
            <option
              key={choice.value}
              value={choice.value}
              disabled={choice.disabled}
            >
              {choice.title}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

interface SliderProps {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  format?: (value: number) => string;
  disabled?: boolean;
  onChange: (value: number) => void;
  /** When the hand lets go. */
  onCommit?: (value: number) => void;
}

export function Slider({ label, value, min, max, step, format = String, disabled, onChange, onCommit }: SliderProps) {
  const fill = `${((Math.min(max, Math.max(min, value)) - min) / (max - min)) * 100}%`;
  const input = useRef<HTMLInputElement>(null);
  // Keys come one by one: the hand has let go when the next one fails to come.
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  const commit = (delay: number): void => {
    clearTimeout(waiting.current);
    waiting.current = setTimeout(() => onCommit?.(Number(input.current?.value ?? value)), delay);
  };
  return (
    <Field
      label={label}
      value={format(value)}
    >
      {(id) => (
        <input
          ref={input}
          id={id}
          className="slider"
          type="range"
          min={min}
          max={max}
          step={step}
          value={value}
          disabled={disabled}
          aria-valuetext={format(value)}
          style={{ '--fill': fill } as CSSProperties}
          onChange={(event) => onChange(Number(event.target.value))}
          onPointerUp={() => commit(0)}
          onKeyUp={({ key }) => {
            if (key !== 'Tab') commit(400);
          }}
        />
      )}
    </Field>
  );
}

export function Switch({
  label,
  checked,
  disabled,
  onChange,
}: {
  label: ReactNode;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="switch">
      {label}
      <input
        type="checkbox"
        role="switch"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
    </label>
  );
}

export function Badge({
  tone,
  children,
  title,
}: {
  tone: 'good' | 'fair' | 'bad' | 'faint';
  children: ReactNode;
  title?: string;
}) {
  return (
    <span
      className={`badge ${tone}`}
      title={title}
    >
      {children}
    </span>
  );
}

export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode] | undefined | false)[] }) {
  return (
    <dl className="facts">
      {facts.map((fact) => fact && [<dt key={`${fact[0]} name`}>{fact[0]}</dt>, <dd key={fact[0]}>{fact[1]}</dd>])}
    </dl>
  );
}

/** A modal window; Escape closes it, and the focus stays inside. */
export function Dialog({
  title,
  onClose,
  children,
  footer,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
  footer?: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    const leave = enterDialog(dialog);
    return () => {
      leave();
      dialog.close();
    };
  }, []);
  return (
    <dialog
      ref={element}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <header>
        <h2
          id={heading}
          tabIndex={-1}
          autoFocus
        >
          {title}
        </h2>
        <Button
          look={['plain', 'square']}
          icon="close"
          aria-label={t('Close')}
          onClick={onClose}
        />
      </header>
      {children}
      {footer && <footer>{footer}</footer>}
    </dialog>
  );
}

/** The end of a dialog that has nothing to take back; what else can be done stands before it. */
export function DoneFooter({ onDone, children }: { onDone: () => void; children?: ReactNode }) {
  return (
    <>
      {children}
      <Button
        look="primary"
        onClick={onDone}
      >
        {t('Done')}
      </Button>
    </>
  );
}

/** A line of a list, with a button that takes it out. */
export function RemovableRow({
  remove,
  disabled,
  onRemove,
  children,
}: {
  /** What the button does, in words. */
  remove: string;
  disabled?: boolean;
  onRemove: () => void;
  children: ReactNode;
}) {
  return (
    <li>
      {children}
      <Button
        look={['plain', 'square']}
        icon="close"
        aria-label={remove}
        disabled={disabled}
        onClick={onRemove}
      />
    </li>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Bar({ done, total, label }: { done: number; total: number; label: string }) {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  return (
    <div
      className="bar"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      <div style={{ width: `${share * 100}%` }} />
    </div>
  );
}
