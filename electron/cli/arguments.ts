import { InvalidArgumentError } from 'commander';

/** A parser for a number of at least `lowest`. */
export function number(flag: string, lowest: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < lowest)
      throw new InvalidArgumentError(`${flag} takes a number of at least ${lowest}.`);
    return value;
  };
}
