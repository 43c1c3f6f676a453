import { useEffect, useState } from 'react';
import type { JobState } from '../../electron/contract/api.js';
import { useStudio } from '../store/studio.js';

/** The run's state; between two tellings of the engine, its time left counts down by the clock. */
export function useCountedDown(): JobState {
  const job = useStudio(({ job }) => job);
  const [told, setTold] = useState({ job, at: 0 });
  const [now, setNow] = useState(0);
  if (told.job !== job) setTold({ job, at: now });
  const counting = job.state === 'running' && job.secondsLeft !== undefined;
  useEffect(() => {
    if (!counting) return;
    const timer = setInterval(() => setNow((seconds) => seconds + 1), 1000);
    return () => clearInterval(timer);
  }, [counting]);
  if (!counting) return job;
  return { ...job, secondsLeft: Math.max(1, job.secondsLeft! - (now - told.at)) };
}
