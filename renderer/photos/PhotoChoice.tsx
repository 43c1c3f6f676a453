import { setStudio, useStudio } from '../store/studio.js';
import { photoFilters, photoSorts, type PhotoView } from '../store/photo-view.js';
import { t } from '../words/index.js';

const sorts = (): Readonly<Record<PhotoView['sort'], string>> => ({
  order: t('order added'),
  name: t('name'),
  taken: t('time taken'),
  sharpness: t('sharpness'),
  error: t('largest error'),
});
const filters = (): Readonly<Record<PhotoView['show'], string>> => ({
  all: t('all photos'),
  placed: t('placed ones'),
  lost: t('not placed'),
  off: t('switched off'),
  doubtful: t('soft, double or missing'),
});

/** Which photos are listed, and in which order. */
export function PhotoChoice() {
  const view = useStudio(({ photoView }) => photoView);
  const change = (next: Partial<PhotoView>): void => setStudio({ photoView: { ...view, ...next } });
  return (
    <div className="photo-choice">
      <Choice
        label={t('Show photos')}
        value={view.show}
        values={photoFilters}
        names={filters()}
        onChange={(show) => change({ show })}
      />
      <Choice
        label={t('Sort by')}
        value={view.sort}
        values={photoSorts}
        names={sorts()}
        onChange={(sort) => change({ sort })}
      />
    </div>
  );
}

function Choice<T extends string>({
  label,
  value,
  values,
  names,
  onChange,
}: {
  label: string;
  value: T;
  values: readonly T[];
  names: Readonly<Record<T, string>>;
  onChange: (value: T) => void;
}) {
  return (
    <select
      className="select"
      aria-label={label}
      title={label}
      value={value}
      onChange={(event) => onChange(event.target.value as T)}
    >
      {values.map((each) => (
        <option
          key={each}
          value={each}
        >
          {names[each]}
        </option>
      ))}
    </select>
  );
}
