import { useEffect, useRef } from 'react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { Empty } from '../design/controls.js';
import { t } from '../words/index.js';
import { useStudio } from '../store/studio.js';

export function LogPanel() {
  const log = useStudio(({ log }) => log);
  const scroller = useRef<HTMLDivElement>(null);
  // eslint-disable-next-line react-hooks/incompatible-library
  const rows = useVirtualizer({
    count: log.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 20,
    overscan: 20,
  });
  useEffect(() => {
    if (log.length > 0) rows.scrollToIndex(log.length - 1);
  }, [log.length, rows]);
  return (
    <div
      className="panel log"
      ref={scroller}
      tabIndex={0}
      role="log"
      aria-label={t('Log of this project')}
    >
      {log.length === 0 && (
        <Empty title={t('Nothing yet')}>
          <p>{t('What a run does and what it leaves out is written here.')}</p>
        </Empty>
      )}
      <div
        className="virtual"
        style={{ height: rows.getTotalSize() }}
      >
        {rows.getVirtualItems().map(({ index, start, key }) => {
          const { time, level, message } = log[index]!;
          return (
            <div
              key={key}
              data-index={index}
              ref={rows.measureElement}
              className={`log-line mono ${level === 'error' ? 'bad' : level === 'warn' ? 'fair' : ''}`}
              style={{ translate: `0 ${start}px` }}
            >
              <time className="faint">{time.slice(11, 19)}</time> {message}
            </div>
          );
        })}
      </div>
    </div>
  );
}
