/**
 * The words of the interface in the language that is chosen. A text is named by its English wording; the catalogues
 * beside this file hold the same text in the other languages.
 */

import type { german } from './de.js';

/** Every text of the interface, by its English wording: what each catalogue must hold. */
export type Words = Readonly<Record<keyof typeof german, string>>;

let language = 'en';
let catalogue: Readonly<Record<string, string>> = {};
let plurals = new Intl.PluralRules('en');

/** Sets what `t` answers from now on. English needs no catalogue: its texts are their own names. */
export function setWords(next: string, words: Readonly<Record<string, string>>): void {
  language = next;
  catalogue = words;
  plurals = new Intl.PluralRules(next);
}

/** BCP 47, for formats of numbers and dates. */
export const wordsLanguage = (): string => language;

export type Values = Readonly<Record<string, string | number>>;

/** A text of the catalogue, with `{name}` replaced by the value of that name; numbers in the language's format. */
export function t(text: string, values?: Values): string {
  const words = catalogue[text] ?? text;
  if (!values) return words;
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === 'number' ? new Intl.NumberFormat(language).format(value) : value;
  });
}

/** As `t`, in the form that the language has for this number; `{n}` is the number. */
export function plural(n: number, one: string, other: string, values?: Values): string {
  return t(plurals.select(n) === 'one' ? one : other, { n, ...values });
}
