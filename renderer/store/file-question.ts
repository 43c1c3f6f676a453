import { setStudio, type FileQuestion } from './studio.js';

/** Opens the page's own file chooser. @returns the paths chosen, none when it was closed */
export function askForFiles(question: Omit<FileQuestion, 'answer'>): Promise<string[]> {
  return new Promise((resolve) => {
    setStudio({
      fileQuestion: {
        ...question,
        answer: (paths) => {
          setStudio({ fileQuestion: undefined });
          resolve(paths);
        },
      },
    });
  });
}
