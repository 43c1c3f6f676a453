/** The languages that the studio speaks, each named in itself. */
export const languages = {
  en: 'English',
  de: 'Deutsch',
  fr: 'Français',
  es: 'Español',
  ja: '日本語',
  zh: '简体中文',
} as const;
export type Language = keyof typeof languages;

const KEY = 'language';

/** The one that was chosen, else the first of the system's that the studio speaks. */
export function preferredLanguage(): Language {
  let chosen: string | null = null;
  try {
    chosen = localStorage.getItem(KEY);
  } catch {
    // A browser that keeps nothing: the system's language holds.
  }
  const wanted = [chosen, ...navigator.languages].map((tag) => tag?.slice(0, 2).toLowerCase());
  return (wanted.find((tag) => tag !== undefined && Object.hasOwn(languages, tag)) as Language | undefined) ?? 'en';
}

/** Keeps the choice. It holds from the next load of the page on: every text is made anew then. */
export function chooseLanguage(language: Language): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // As above.
  }
}

/** Fetches the catalogue of a language; English texts are their own names. */
export async function catalogueOf(language: Language): Promise<Readonly<Record<string, string>>> {
  switch (language) {
    case 'de':
      return (await import('./de.js')).german;
    case 'fr':
      return (await import('./fr.js')).french;
    case 'es':
      return (await import('./es.js')).spanish;
    case 'ja':
      return (await import('./ja.js')).japanese;
    case 'zh':
      return (await import('./zh.js')).chinese;
    case 'en':
      return {};
  }
}
