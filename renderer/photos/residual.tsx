import type { ReactNode } from 'react';
import { t } from '../words/index.js';
import { figuresText } from '../design/format.js';

/** How far pointmaps miss one another, as a fact with a colour: below one in a hundred is what good photos give. */
export function residualFact(residual: number): [string, ReactNode] {
  const words = `${figuresText(residual * 100, 2)} %`;
  return [
    t('Residual, share of depth'),
    <span
      key="residual"
      className={tone(residual)}
    >
      {words}
    </span>,
  ];
}

function tone(residual: number): 'good' | 'fair' | 'bad' {
  if (residual < 0.012) return 'good';
  return residual < 0.03 ? 'fair' : 'bad';
}
