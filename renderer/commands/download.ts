/** Milliseconds after which a browser has taken what it was given to download. */
const TAKEN = 10_000;

/** Gives a file to the browser, or the desktop, to be saved. */
export function download(file: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), TAKEN);
}
